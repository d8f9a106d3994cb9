/** Field name to value; an absent field is a missing key, never 0 or NaN. Values are finite. */
export type Fields = Readonly<Record<string, number>>;

/**
 * What one atomic read of one thing gave: every field belongs to the same instant. Fields of two reads are never held together.
 */
export interface Reading {
  /** Wall-clock instant that the values describe, milliseconds since the epoch; for serving and logs. */
  readonly timestampMs: number;
  /** The same instant on the monotonic clock of this process, milliseconds; ages are differences of this one. */
  readonly monotonicMs: number;
  readonly fields: Fields;
}
