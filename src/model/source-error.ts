/**
 * Why a read gave no value. The names are gRPC's status codes (google.rpc.Code), each with a fixed permanence:
 *
 * | code | meaning here | permanence |
 * |---|---|---|
 * | `NotFound` | the queue, topic or key does not exist | permanent |
 * | `PermissionDenied` | authenticated, but may not read this | permanent |
 * | `Unauthenticated` | wrong or missing credentials | permanent |
 * | `InvalidArgument` | the peer rejects what was configured | permanent |
 * | `FailedPrecondition` | the peer is not what the configuration says (wrong type, wrong mode, wrong certificate) | permanent |
 * | `DataLoss` | the answer is partial, malformed or not finite | transient |
 * | `ResourceExhausted` | throttled or over a limit of the peer | transient |
 * | `DeadlineExceeded` | no answer in time | transient |
 * | `Unavailable` | no connection, or the peer says it cannot serve now | transient |
 * | `Internal` | a fault of our own | transient |
 *
 * Permanent means: it stays until somebody changes something, so the next tries are slow. Nothing is ever given up.
 */
export const sourceErrorCodes = {
  NotFound: "permanent",
  PermissionDenied: "permanent",
  Unauthenticated: "permanent",
  InvalidArgument: "permanent",
  FailedPrecondition: "permanent",
  DataLoss: "transient",
  ResourceExhausted: "transient",
  DeadlineExceeded: "transient",
  Unavailable: "transient",
  Internal: "transient",
} as const;

/** One of the closed set of reasons in {@link sourceErrorCodes}. */
export type SourceErrorCode = keyof typeof sourceErrorCodes;

/** `permanent` until somebody changes something; `transient` may pass by itself. */
export type Permanence = (typeof sourceErrorCodes)[SourceErrorCode];

/**
 * A read that gave no value. The message names the connection, the thing and the finding, holds no secret, and is fit to be shown to any
 * reader of an HPA: it travels to the HPA's conditions and events.
 */
export class SourceError extends Error {
  readonly code: SourceErrorCode;

  constructor(code: SourceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "SourceError";
    this.code = code;
  }

  /** Whether a retry soon can help; decided by the code alone. */
  get permanence(): Permanence {
    return sourceErrorCodes[this.code];
  }
}
