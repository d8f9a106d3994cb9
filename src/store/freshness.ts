import type { Reading } from "../model/reading.ts";
import type { SourceError } from "../model/source-error.ts";

/** How the last try of a query failed. */
export interface Failure {
  readonly error: SourceError;
  /** Monotonic instant of the failure, milliseconds. */
  readonly monotonicMs: number;
}

/**
 * What is known about a query at one instant, for one reader's age limit. Only `fresh` may become a number. `absence` is the last finding that the
 * thing does not exist (`NotFound`), newer than any reading and of any age: an answer for a reader to whom the user allowed that, and for no other.
 */
export type Freshness =
  /** A reading within the age limit. `lastFailure` is set when a later try failed. */
  | {
      readonly status: "fresh";
      readonly reading: Reading;
      readonly ageMs: number;
      readonly lastFailure?: Failure;
      readonly absence?: Failure;
    }
  /** A reading, but older than the limit, and no failure since: the poller is late. */
  | { readonly status: "stale"; readonly reading: Reading; readonly ageMs: number }
  /** The last try failed, and there is no reading within the limit. */
  | {
      readonly status: "failed";
      readonly failure: Failure;
      readonly reading?: Reading;
      readonly absence?: Failure;
    }
  /** No try has ended yet. */
  | { readonly status: "missing" };
