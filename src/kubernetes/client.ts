import type { IncomingMessage } from "node:http";
import type { Logger } from "../runtime/logger.ts";
import type { Clock, Random } from "../runtime/clock.ts";
import { errorCode, errorFromUnknown } from "../runtime/errors.ts";
import { AccessKeeper } from "./access-keeper.ts";
import { loadClusterAccess } from "./cluster-access.ts";
import type { ClusterLocation } from "./cluster-access.ts";
import { failureOf, isStaleConnection, nameOf, openExchange, readBody } from "./http-exchange.ts";
import type { HttpExchange } from "./http-exchange.ts";
import { KubernetesError } from "./kubernetes-error.ts";

/** Where the cluster is and what the client needs to talk to it. */
export interface KubernetesClientOptions extends ClusterLocation {
  /** Our own version, for the User-Agent header. */
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** The calls to the cluster that this server makes: plain JSON over HTTPS. Every failure is a KubernetesError. */
export interface KubernetesClient {
  /** One GET, without retries: whoever polls has a backoff of its own. Resolves with the parsed body. */
  get(path: string, signal: AbortSignal): Promise<unknown>;
  /** Creates a review, with retries. Resolves with the parsed body. */
  post(path: string, body: unknown): Promise<unknown>;
  /** Hands on each line of a watch, parsed, until the server ends it; `durationMs` bounds it if the server does not. */
  watch(path: string, options: WatchOptions): Promise<void>;
  /** Closes every connection; calls under way fail. */
  close(): void;
}

/** A watch: who ends it, how long it may last (milliseconds), and who hears of its events. */
export interface WatchOptions {
  readonly signal: AbortSignal;
  readonly durationMs: number;
  readonly onEvent: (event: unknown) => void;
}

const requestTimeoutMs = 10_000;
/** client-go: webhook.DefaultRetryBackoff. */
const retry = { initialMs: 500, factor: 1.5, jitterRatio: 0.2, attempts: 5 } as const;

/**
 * Connects to nothing yet: it reads the kubeconfig or the pod's ServiceAccount and rejects when neither is usable. Calls have 10 s; reviews are retried on broken
 * connections, 429 and 5xx (0.5 s, growing by 1.5 with jitter, 5 attempts).
 *
 * The protocol is spoken directly: the official client loads models of every resource, about 80 MiB of resident memory for the four calls made here.
 */
export async function createKubernetesClient(
  options: KubernetesClientOptions,
): Promise<KubernetesClient> {
  const { clock, logger } = options;
  const load = (): ReturnType<typeof loadClusterAccess> => loadClusterAccess(options);
  return new HttpsKubernetesClient(options, await AccessKeeper.open({ load, clock, logger }));
}

type Call = Pick<HttpExchange, "method" | "path"> & { readonly body?: string };

class HttpsKubernetesClient implements KubernetesClient {
  readonly #options: KubernetesClientOptions;
  readonly #keeper: AccessKeeper;
  readonly #closed = new AbortController();

  constructor(options: KubernetesClientOptions, keeper: AccessKeeper) {
    this.#options = options;
    this.#keeper = keeper;
  }

  get(path: string, signal: AbortSignal): Promise<unknown> {
    return this.#exchangeJson(
      { method: "GET", path },
      AbortSignal.any([signal, this.#closed.signal]),
    );
  }

  async post(path: string, body: unknown): Promise<unknown> {
    const call: Call = { method: "POST", path, body: JSON.stringify(body) };
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#exchangeJson(call, this.#closed.signal);
      } catch (reason) {
        if (attempt >= retry.attempts || !isTransient(reason)) throw reason;
        if (!isStaleConnection(reason)) await this.#pause(attempt);
      }
    }
  }

  async watch(path: string, { signal, durationMs, onEvent }: WatchOptions): Promise<void> {
    const parent = AbortSignal.any([signal, this.#closed.signal]);
    const deadline = this.#options.clock.timeout(durationMs, parent);
    try {
      const exchange = await this.#prepare({ method: "GET", path }, deadline.signal);
      await readLines(exchange, await this.#open(exchange), onEvent);
    } finally {
      deadline.clear();
    }
  }

  close(): void {
    this.#closed.abort(new Error("the client is closed"));
    this.#keeper.close();
  }

  async #exchangeJson(call: Call, parent: AbortSignal): Promise<unknown> {
    const deadline = this.#options.clock.timeout(requestTimeoutMs, parent);
    try {
      const exchange = await this.#prepare(call, deadline.signal);
      const response = await this.#open(exchange);
      return parsed(await readBody(exchange, response), exchange);
    } finally {
      deadline.clear();
    }
  }

  async #prepare(call: Call, signal: AbortSignal): Promise<HttpExchange> {
    const { access, agent } = await this.#keeper.session();
    const headers = {
      accept: "application/json",
      "user-agent": `leadline/${this.#options.version}`,
      ...(access.authorization === undefined ? {} : { authorization: access.authorization }),
      ...(call.body === undefined
        ? {}
        : {
            "content-type": "application/json",
            "content-length": String(Buffer.byteLength(call.body)),
          }),
    };
    return { ...call, server: access.server, headers, agent, signal };
  }

  /** Resolves with an answer of status 2xx. Credentials that the cluster refuses are read again for the next call. */
  async #open(exchange: HttpExchange): Promise<IncomingMessage> {
    const response = await openExchange(exchange);
    const statusCode = response.statusCode ?? 0;
    if (statusCode >= 200 && statusCode < 300) return response;
    const message = await statusMessage(exchange, response);
    if (statusCode === 401) await this.#keeper.renew();
    throw new KubernetesError("Rejected", `${nameOf(exchange)}: ${statusCode}${message}`, {
      statusCode,
    });
  }

  async #pause(attempt: number): Promise<void> {
    const { clock, random } = this.#options;
    const delayMs = retry.initialMs * retry.factor ** (attempt - 1);
    await clock.sleep(delayMs * (1 + retry.jitterRatio * random()), this.#closed.signal);
  }
}

const transientCodes: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE"]);

/** A timeout is not retried: the caller has waited long enough, and has a limit of its own. */
function isTransient(reason: unknown): boolean {
  if (!(reason instanceof KubernetesError)) return false;
  switch (reason.code) {
    case "Unreachable":
      return transientCodes.has(errorCode(reason.cause as Error) ?? "");
    case "Rejected":
      return reason.statusCode === 429 || (reason.statusCode ?? 0) >= 500;
    case "Timeout":
    case "Malformed":
      return false;
  }
}

/** Hands on each line that arrives; rejects when the connection breaks or the exchange is ended from our side. */
async function readLines(
  exchange: HttpExchange,
  response: IncomingMessage,
  onEvent: (event: unknown) => void,
): Promise<void> {
  let rest = "";
  response.setEncoding("utf8");
  try {
    for await (const chunk of response) {
      const lines = `${rest}${chunk as string}`.split("\n"); // an encoding is set, so chunks are text
      rest = lines.pop() ?? "";
      for (const line of lines) onEvent(parsed(line, exchange));
    }
  } catch (reason) {
    throw reason instanceof KubernetesError ? reason : failureOf(exchange, reason);
  } finally {
    response.destroy();
  }
}

function parsed(text: string, exchange: HttpExchange): unknown {
  try {
    return JSON.parse(text);
  } catch (reason) {
    const message = `${nameOf(exchange)}: answer is not JSON`;
    throw new KubernetesError("Malformed", message, { cause: errorFromUnknown(reason) });
  }
}

/** `message` of a Status, which says why (`… is forbidden: …`); empty when the body holds none. */
async function statusMessage(exchange: HttpExchange, response: IncomingMessage): Promise<string> {
  const text = await readBody(exchange, response);
  try {
    const body: unknown = JSON.parse(text);
    const isStatus = typeof body === "object" && body !== null && "message" in body;
    return isStatus && typeof body.message === "string" ? ` ${body.message.slice(0, 512)}` : "";
  } catch {
    return "";
  }
}
