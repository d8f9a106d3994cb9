/**
 * Why a call to the cluster gave no answer. `Unreachable`: no connection or a broken one. `Timeout`: no answer in time. `Rejected`: an HTTP status other
 * than 2xx. `Malformed`: an answer that is not what was asked for.
 */
export type KubernetesErrorCode = "Unreachable" | "Timeout" | "Rejected" | "Malformed";

/** A call to the cluster that failed. The message names method, path and finding, never credentials or bodies that may hold them. */
export class KubernetesError extends Error {
  readonly code: KubernetesErrorCode;
  /** Present for `Rejected`. */
  readonly statusCode?: number;

  constructor(
    code: KubernetesErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly statusCode?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "KubernetesError";
    this.code = code;
    if (options.statusCode !== undefined) this.statusCode = options.statusCode;
  }
}
