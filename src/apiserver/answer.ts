import type { IncomingMessage, ServerResponse } from "node:http";
import type { Status } from "../model/status.ts";
import { contentTypes, encodeObject } from "./negotiation.ts";
import type { Representation } from "./negotiation.ts";

/** A whole response: HTTP code, headers as alternating names and values, body. */
export interface Answer {
  readonly code: number;
  readonly headers: readonly string[];
  readonly body: string;
}

/** What almost every answer carries: values change, and an error must not outlive its cause. */
export const noCache: readonly string[] = ["Cache-Control", "no-cache, private"];

/** Longest Audit-Id that is echoed; kube-apiserver sends a UUID. */
const maxAuditIdLength = 128;

/** An object as an answer. */
export function objectAnswer(code: number, object: object, representation: Representation): Answer {
  return {
    code,
    headers: [...noCache, "Content-Type", contentTypes[representation.format]],
    body: encodeObject(object, representation),
  };
}

/** A failure as an answer: never sniffed as anything else, and a 405 says what is allowed. */
export function statusAnswer(status: Status, representation: Representation): Answer {
  const answer = objectAnswer(status.code, status, representation);
  const headers = [...answer.headers, "X-Content-Type-Options", "nosniff"];
  if (status.reason === "MethodNotAllowed") headers.push("Allow", "GET");
  return { ...answer, headers };
}

/**
 * Writes an answer. Echoes the Audit-Id that joins our answer to kube-apiserver's audit log. Does nothing when the client is gone or has
 * been answered.
 */
export function sendAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
): void {
  if (response.headersSent || response.destroyed) return;
  const headers = [...answer.headers];
  if (answer.code !== notModified)
    headers.push("Content-Length", String(Buffer.byteLength(answer.body)));
  const auditId = request.headers["audit-id"];
  if (typeof auditId === "string" && auditId !== "" && auditId.length <= maxAuditIdLength)
    headers.push("Audit-Id", auditId);
  response.writeHead(answer.code, headers);
  response.end(answer.body);
}

const notModified = 304;
