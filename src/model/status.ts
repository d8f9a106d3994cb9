/**
 * Machine-readable reasons of a `metav1.Status` that this server uses, with the HTTP code that belongs to each
 * (upstream: apimachinery `meta/v1/types.go`, StatusReason).
 */
export const statusCodes = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  RequestEntityTooLarge: 413,
  InternalError: 500,
  ServiceUnavailable: 503,
  Timeout: 504,
} as const;

/** One of the reasons in {@link statusCodes}. */
export type StatusReason = keyof typeof statusCodes;

/** `details` of a Status: which resource it is about. Absent keys are left out on the wire. */
export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
}

/** The failure form of `metav1.Status`: the body of every error this server answers. Key order is the order on the wire. */
export interface Status {
  readonly kind: "Status";
  readonly apiVersion: "v1";
  readonly metadata: Readonly<Record<string, never>>;
  readonly status: "Failure";
  readonly message: string;
  readonly reason: StatusReason;
  readonly details?: StatusDetails;
  readonly code: number;
}

/** Longest message, in characters, that is put into a Status: it is copied into HPA conditions and events. */
const maxMessageLength = 512;

/**
 * Builds a failure Status. The message becomes one line of at most 512 characters.
 */
export function statusFailure(
  reason: StatusReason,
  message: string,
  details?: StatusDetails,
): Status {
  const line = message.replace(/\s*[\r\n]+\s*/gu, " ");
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: line.length > maxMessageLength ? `${line.slice(0, maxMessageLength - 1)}…` : line,
    reason,
    ...(details === undefined ? {} : { details }),
    code: statusCodes[reason],
  };
}
