import type { Status } from "../model/status.ts";
import { internalErrorStatus, malformedPathStatus } from "./statuses.ts";

/** A failure that knows which Status it is to be answered with. */
export class StatusError extends Error {
  readonly status: Status;

  constructor(status: Status, options?: ErrorOptions) {
    super(status.message, options);
    this.name = "StatusError";
    this.status = status;
  }
}

/**
 * The one place where something thrown becomes an answer: a StatusError its own Status, a path that does not decode 400, anything else 500
 * without a word of its message, which may tell secrets of the inside.
 */
export function statusFromError(reason: unknown): Status {
  if (reason instanceof StatusError) return reason.status;
  if (reason instanceof URIError) return malformedPathStatus;
  return internalErrorStatus;
}
