import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";
import type { Clock } from "../runtime/clock.ts";
import { errorFromUnknown } from "../runtime/errors.ts";
import type { HealthRegistry, Probe } from "../runtime/health.ts";
import type { Component } from "../runtime/lifecycle.ts";
import type { Logger } from "../runtime/logger.ts";
import { renderProbe } from "../runtime/probe-text.ts";
import { within } from "../runtime/within.ts";
import {
  openMetricsContentType,
  openMetricsFromText,
  prefersOpenMetrics,
  prometheusContentType,
} from "./exposition.ts";
import { isLoopbackAddress, isLoopbackHost } from "../runtime/loopback.ts";
import { textAnswer } from "./ops-route.ts";
import type { OpsAnswer, OpsRoute } from "./ops-route.ts";

/** What the ops port shows and where it listens. */
export interface OpsServerOptions {
  /** Address to bind: an IP address. */
  readonly bindAddress: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly registry: Registry;
  readonly health: HealthRegistry;
  readonly routes: readonly OpsRoute[];
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Time that requests under way get when the server stops, milliseconds. */
const stopLimitMs = 1_000;
const headersTimeoutMs = 5_000;
const requestTimeoutMs = 10_000;
/** Longer than a usual scrape interval, so that a scraper keeps its connection. */
const keepAliveTimeoutMs = 75_000;
const maxHeaderBytes = 16_384;
const maxConnections = 256;

const probes: ReadonlyMap<string, Probe> = new Map([
  ["/healthz", "healthz"],
  ["/livez", "livez"],
  ["/readyz", "readyz"],
]);

/**
 * The ops port: plain HTTP, read only. `/metrics` in the Prometheus or the OpenMetrics format, `/livez`, `/readyz` and `/healthz` as Go
 * API servers have them, and the routes that it is given.
 */
export class OpsServer implements Component {
  readonly name = "ops-server";
  readonly #options: OpsServerOptions;
  readonly #server: Server;
  #stopping: Promise<void> | undefined;

  constructor(options: OpsServerOptions) {
    this.#options = options;
    this.#server = createServer(
      {
        headersTimeout: headersTimeoutMs,
        requestTimeout: requestTimeoutMs,
        keepAliveTimeout: keepAliveTimeoutMs,
        connectionsCheckingInterval: headersTimeoutMs,
        maxHeaderSize: maxHeaderBytes,
      },
      (request, response) => void this.#serve(request, response),
    );
    this.#server.maxConnections = maxConnections;
  }

  /** URL of the listener, `http://127.0.0.1:8080`; undefined while it does not listen. */
  get url(): string | undefined {
    // A TCP listener has no other kind of address.
    const address = this.#server.address() as AddressInfo | null;
    if (address === null) return undefined;
    const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
    return `http://${host}:${address.port}`;
  }

  /** Listens; rejects when the address cannot be had, or when the start was given up before. */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#server.listening) return;
    const { bindAddress, port, logger } = this.#options;
    await new Promise<void>((resolve, reject) => {
      const onError = (cause: Error): void => {
        reject(new Error(`ops port: ${cause.message}`, { cause }));
      };
      this.#server.once("error", onError);
      this.#server.listen({ host: bindAddress, port }, () => {
        this.#server.off("error", onError);
        resolve();
      });
    });
    this.#server.on("error", (err) => logger.error({ err }, "Operations listener failed"));
    logger.info({ address: this.url }, "Serving operations");
  }

  /** Stops listening, ends idle connections at once and all others within a second. */
  stop(): Promise<void> {
    if (this.#server.listening) this.#stopping ??= this.#stop();
    return this.#stopping ?? Promise.resolve();
  }

  async #stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#server.closeIdleConnections();
    if ((await within(this.#options.clock, stopLimitMs, closed)) === "late") {
      this.#server.closeAllConnections();
      await closed;
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      send(request, response, await this.#answer(request));
    } catch (reason) {
      const err = errorFromUnknown(reason);
      this.#options.logger.error({ err, path: request.url }, "Operations request failed");
      if (response.headersSent) response.destroy();
      else send(request, response, textAnswer(500, "internal server error\n"));
    }
  }

  async #answer(request: IncomingMessage): Promise<OpsAnswer> {
    if (request.method !== "GET" && request.method !== "HEAD") {
      return textAnswer(405, "only GET and HEAD are allowed\n");
    }
    const [path, query] = splitUrl(request.url);
    const parameters = new URLSearchParams(query);
    const probe = probes.get(path);
    if (probe !== undefined) return this.#probe(probe, parameters);
    if (path === "/metrics") return this.#metrics(request.headers.accept);
    const route = this.#options.routes.find(({ path: own }) => isAtOrBelow(path, own));
    if (route === undefined) return textAnswer(404, "not found\n");
    if (route.audience === "Loopback" && !isFromLoopback(request)) {
      return textAnswer(403, "answered on loopback only\n");
    }
    return route.answer({ path, parameters });
  }

  async #metrics(accept: string | undefined): Promise<OpsAnswer> {
    const text = await this.#options.registry.metrics();
    return prefersOpenMetrics(accept)
      ? { code: 200, contentType: openMetricsContentType, body: openMetricsFromText(text) }
      : { code: 200, contentType: prometheusContentType, body: text };
  }

  #probe(probe: Probe, parameters: URLSearchParams): OpsAnswer {
    const { isHealthy, body, failures } = renderProbe(
      this.#options.health.report(probe),
      parameters,
    );
    if (!isHealthy) this.#options.logger.debug({ probe, failures }, "Probe failed");
    return textAnswer(isHealthy ? 200 : 500, body);
  }
}

function isAtOrBelow(path: string, own: string): boolean {
  return path === own || path.startsWith(`${own}/`);
}

function isFromLoopback(request: IncomingMessage): boolean {
  return isLoopbackAddress(request.socket.remoteAddress) && isLoopbackHost(request.headers.host);
}

function splitUrl(url = ""): readonly [path: string, query: string] {
  const mark = url.indexOf("?");
  return mark === -1 ? [url, ""] : [url.slice(0, mark), url.slice(mark + 1)];
}

function send(request: IncomingMessage, response: ServerResponse, answer: OpsAnswer): void {
  const body = Buffer.from(answer.body);
  response.writeHead(answer.code, {
    "Content-Type": answer.contentType,
    "Content-Length": body.length,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    // What was sent along with a refused method is not read: the connection is of no more use.
    ...(answer.code === 405 ? { Allow: "GET, HEAD", Connection: "close" } : {}),
  });
  response.end(request.method === "HEAD" ? undefined : body);
}
