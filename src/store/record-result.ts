import type { SourceError } from "../model/source-error.ts";

/**
 * What a store made of an outcome.
 *
 * - `stored`: the reading is the newest now;
 * - `failed`: the failure is the last word on the query; also for a reading that is not whole (`DataLoss`);
 * - `refused`: the reading is older than one already held; nothing changed;
 * - `unknown`: nobody asks for this query (any more); nothing changed.
 */
export type RecordResult =
  | { readonly status: "stored" }
  | { readonly status: "failed"; readonly error: SourceError }
  | { readonly status: "refused" }
  | { readonly status: "unknown" };
