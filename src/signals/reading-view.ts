import type { Freshness } from "../store/freshness.ts";

/** What signals need from whoever holds the readings; from memory, never throws. */
export interface ReadingView {
  /**
   * What is known about a query at `nowMonotonicMs`, for a reader that takes nothing older than `maxAgeMs` (both milliseconds). An unknown
   * query is missing.
   */
  freshness(queryKey: string, maxAgeMs: number, nowMonotonicMs: number): Freshness;
}
