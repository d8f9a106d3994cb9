import type { Reading } from "../model/reading.ts";
import type { FetchOutcome } from "../sources/source.ts";
import type { RecordResult } from "../store/record-result.ts";

/**
 * What polling needs of a store. Every call answers from memory; a store that is shared with other processes keeps a replica here.
 */
export interface QueryStore {
  /** Makes room for a query polled every `intervalMs`; again with another interval keeps its readings. */
  add(queryKey: string, intervalMs: number): void;
  /** Drops everything known about a query. */
  forget(queryKey: string): void;
  /** Takes the outcome of a try that ended at `monotonicMs`. */
  record(queryKey: string, outcome: FetchOutcome, monotonicMs: number): RecordResult;
  /** Readings of a query, oldest first. */
  history(queryKey: string): readonly Reading[];
  /** The newest reading, however old; undefined when there is none. */
  newest(queryKey: string): Reading | undefined;
  /** Whether at least one try of a query has ended. */
  hasOutcome(queryKey: string): boolean;
}
