import type { ClientRequest, IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Agent } from "node:https";
import { errorCode, errorFromUnknown } from "../runtime/errors.ts";
import { KubernetesError } from "./kubernetes-error.ts";

/** One request over HTTPS. */
export interface HttpExchange {
  readonly method: "GET" | "POST";
  /** Base URL without a slash at the end. */
  readonly server: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly agent: Agent;
  /** Ends the exchange, the reading of its answer included. */
  readonly signal: AbortSignal;
}

/** A broken connection that had served before: the server closed it while we wrote, so nothing was processed and trying again at once is right. */
export function isStaleConnection(error: unknown): boolean {
  return error instanceof KubernetesError && staleErrors.has(error);
}

const staleErrors = new WeakSet<KubernetesError>();
/** Answers of the few calls that are made are small; a larger one is not what was asked for. */
const maxBodyBytes = 4 << 20;

/** Sends a request and resolves with the head of the answer; the caller reads its body. Rejects with a KubernetesError. */
export function openExchange(exchange: HttpExchange): Promise<IncomingMessage> {
  const { method, server, path, headers, body, agent, signal } = exchange;
  return new Promise((resolve, reject) => {
    const request: ClientRequest = httpsRequest(
      `${server}${path}`,
      { method, headers, agent, signal },
      resolve,
    );
    request.on("error", (reason) => {
      const error = failureOf(exchange, reason);
      if (error.code === "Unreachable" && request.reusedSocket) staleErrors.add(error);
      reject(error);
    });
    request.end(body);
  });
}

/** Reads the whole body as text. Rejects with a KubernetesError when the connection breaks or the body is too large. */
export async function readBody(exchange: HttpExchange, response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of response) {
      const bytes = chunk as Buffer; // no encoding is set, so chunks are buffers
      sizeBytes += bytes.length;
      if (sizeBytes > maxBodyBytes) break;
      chunks.push(bytes);
    }
  } catch (reason) {
    throw failureOf(exchange, reason);
  }
  if (sizeBytes > maxBodyBytes) {
    throw new KubernetesError("Malformed", `${nameOf(exchange)}: answer is too large`);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Anything that went wrong on the way, in our words. */
export function failureOf(exchange: HttpExchange, reason: unknown): KubernetesError {
  const cause = errorFromUnknown(reason);
  const { signal } = exchange;
  if (signal.aborted && errorFromUnknown(signal.reason).name === "TimeoutError") {
    return new KubernetesError("Timeout", `${nameOf(exchange)}: no answer in time`, { cause });
  }
  const finding = errorCode(cause) ?? cause.message;
  return new KubernetesError("Unreachable", `${nameOf(exchange)}: ${finding}`, { cause });
}

/** Method and path without its query, for messages. */
export function nameOf({ method, path }: HttpExchange): string {
  return `${method} ${path.split("?", 1)[0] ?? path}`;
}
