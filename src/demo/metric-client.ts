import { request } from "node:https";
import type { IncomingMessage } from "node:http";
import { errorCode, errorFromUnknown } from "../runtime/errors.ts";
import type { Clock } from "../runtime/clock.ts";
import type { ExternalMetricRead } from "../simulator/hpa-metrics.ts";
import { createDeferred } from "./deferred.ts";

/** Where an external metric is read, and whose certificates are believed. */
export interface MetricClientOptions {
  /** The URL that the HPA controller asks, query included. */
  readonly url: string;
  /** PEM of the certificate authority; no other is trusted. */
  readonly caPem: string;
  /** How long one read may take, milliseconds. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** Longest answer that is looked at, bytes; a list of metric values is far below. */
const maxBodyBytes = 1024 * 1024;

/**
 * Reads an external metric once, as the HPA controller's client does: over HTTPS on a connection of its own, the Status message of a refusal as the reason.
 * Resolves also when there is no answer; rejects only when `signal` aborts.
 */
export async function readExternalMetric(
  options: MetricClientOptions,
  signal: AbortSignal,
): Promise<ExternalMetricRead> {
  const deadline = options.clock.timeout(options.timeoutMs, signal);
  try {
    const { statusCode, body } = await get(options, deadline.signal);
    return statusCode === 200 ? parseList(body) : { outcome: "failed", message: statusText(body) };
  } catch (reason) {
    signal.throwIfAborted();
    if (deadline.signal.aborted)
      return { outcome: "failed", message: `no answer within ${options.timeoutMs} ms` };
    return { outcome: "failed", message: connectionText(errorFromUnknown(reason)) };
  } finally {
    deadline.clear();
  }
}

interface Answer {
  readonly statusCode: number | undefined;
  readonly body: string;
}

function get(options: MetricClientOptions, signal: AbortSignal): Promise<Answer> {
  const { promise, resolve, reject } = createDeferred<Answer>();
  const sent = request(
    options.url,
    // No agent: a connection that outlives the server would hide that it is gone.
    { ca: options.caPem, agent: false, signal, headers: { accept: "application/json" } },
    (response) => {
      collect(response).then(
        (body) => resolve({ statusCode: response.statusCode, body }),
        (reason: unknown) => reject(errorFromUnknown(reason)),
      );
    },
  );
  sent.on("error", reject);
  sent.end();
  return promise;
}

async function collect(response: IncomingMessage): Promise<string> {
  let body = "";
  response.setEncoding("utf8");
  for await (const chunk of response) {
    body += String(chunk);
    if (body.length > maxBodyBytes) throw new Error("the answer is too long");
  }
  return body;
}

/** A property of something that came off the wire; undefined when there is none. */
function property(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function parseList(body: string): ExternalMetricRead {
  const items = property(parseJson(body), "items");
  if (!Array.isArray(items))
    return { outcome: "failed", message: "the answer is no ExternalMetricValueList" };
  const values = items.map((item) => property(item, "value"));
  const texts = values.filter((value) => typeof value === "string");
  if (texts.length !== values.length)
    return { outcome: "failed", message: "an item of the answer has no value" };
  return { outcome: "values", values: texts };
}

/** The message of a `metav1.Status`, else what client-go says of a body that it cannot decode. */
function statusText(body: string): string {
  const status = parseJson(body);
  const message = property(status, "message");
  if (property(status, "kind") === "Status" && typeof message === "string") return message;
  const excerpt = body.trim().slice(0, 80);
  return `an error on the server (${JSON.stringify(excerpt)}) has prevented the request from succeeding`;
}

function connectionText(error: Error): string {
  const code = errorCode(error);
  return error.message === "" ? (code ?? error.name) : error.message;
}
