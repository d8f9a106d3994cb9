import type { Reading } from "../model/reading.ts";
import type { SourceError } from "../model/source-error.ts";
import { acceptReading } from "./accept-reading.ts";
import type { Failure, Freshness } from "./freshness.ts";
import { ReadingRing } from "./reading-ring.ts";
import type { RecordResult } from "./record-result.ts";

/** What a try of a query gave: a whole reading or the reason there is none. */
export type StoreEntry =
  | { readonly status: "read"; readonly reading: Reading }
  | { readonly status: "failed"; readonly error: SourceError };

/** How much the store holds; for metrics. */
export interface StoreSize {
  readonly queries: number;
  readonly readings: number;
  /** Readings that fit before the oldest make way. */
  readonly capacity: number;
}

/** Time that the history of a query reaches back, milliseconds, as far as the ring's limits allow. */
const historyMs = 300_000;
/** Two readings are the least that a rate needs; one more keeps it through a replaced one. */
const minRingCapacity = 3;
const maxRingCapacity = 120;

interface QueryRecord {
  ring: ReadingRing;
  /** The last try, when that failed. */
  failure: Failure | undefined;
  /** The last try that found nothing there; newer than every reading. */
  absence: Failure | undefined;
}

/**
 * Readings and failures of every query that somebody asked for, in memory. Fixed memory per query; ages are differences of the
 * monotonic clock alone, so a jump of the wall clock changes nothing.
 */
export class ReadingStore {
  readonly #records = new Map<string, QueryRecord>();

  /**
   * Makes room for a query; the history reaches back about five minutes at this interval (milliseconds, above 0). Again with another
   * interval keeps the newest readings that fit; again with the same does nothing.
   */
  add(queryKey: string, intervalMs: number): void {
    const capacity = ringCapacity(intervalMs);
    const record = this.#records.get(queryKey);
    if (record === undefined) {
      this.#records.set(queryKey, {
        ring: new ReadingRing(capacity),
        failure: undefined,
        absence: undefined,
      });
    } else if (record.ring.capacity !== capacity) {
      record.ring = record.ring.resized(capacity);
    }
  }

  /** Drops everything known about a query; no-op for an unknown one. */
  forget(queryKey: string): void {
    this.#records.delete(queryKey);
  }

  /**
   * Takes the outcome of one try that ended at `monotonicMs`. A reading as old as the newest one replaces it, so that an instant is
   * held once; an older one is refused.
   */
  record(queryKey: string, outcome: StoreEntry, monotonicMs: number): RecordResult {
    const record = this.#records.get(queryKey);
    if (record === undefined) return { status: "unknown" };
    const accepted =
      outcome.status === "read" ? acceptReading(queryKey, outcome.reading, monotonicMs) : outcome;
    if (accepted.status === "failed") {
      record.failure = { error: accepted.error, monotonicMs };
      if (accepted.error.code === "NotFound") record.absence = record.failure;
      return { status: "failed", error: accepted.error };
    }
    const newestMs = record.ring.newest?.monotonicMs;
    if (newestMs !== undefined && accepted.reading.monotonicMs < newestMs) {
      return { status: "refused" };
    }
    if (newestMs === accepted.reading.monotonicMs) record.ring.replaceNewest(accepted.reading);
    else record.ring.push(accepted.reading);
    record.failure = undefined;
    record.absence = undefined;
    return { status: "stored" };
  }

  /**
   * What is known about a query at `nowMonotonicMs`, for a reader that takes nothing older than `maxAgeMs`. An age of exactly `maxAgeMs`
   * is fresh. An unknown query is missing.
   */
  freshness(queryKey: string, maxAgeMs: number, nowMonotonicMs: number): Freshness {
    const record = this.#records.get(queryKey);
    if (record === undefined) return { status: "missing" };
    const reading = record.ring.newest;
    const { failure } = record;
    const absence = record.absence === undefined ? {} : { absence: record.absence };
    if (reading === undefined) {
      return failure === undefined
        ? { status: "missing" }
        : { status: "failed", failure, ...absence };
    }
    const ageMs = Math.max(0, nowMonotonicMs - reading.monotonicMs);
    if (ageMs <= maxAgeMs) {
      return failure === undefined
        ? { status: "fresh", reading, ageMs }
        : { status: "fresh", reading, ageMs, lastFailure: failure, ...absence };
    }
    return failure === undefined
      ? { status: "stale", reading, ageMs }
      : { status: "failed", failure, reading, ...absence };
  }

  /** Readings of a query, oldest first; empty when there is none or the query is unknown. */
  history(queryKey: string): readonly Reading[] {
    return this.#records.get(queryKey)?.ring.toArray() ?? [];
  }

  /** The newest reading of a query, however old; undefined when there is none. */
  newest(queryKey: string): Reading | undefined {
    return this.#records.get(queryKey)?.ring.newest;
  }

  /** Whether at least one try of a query has ended, with a reading or a failure. */
  hasOutcome(queryKey: string): boolean {
    const record = this.#records.get(queryKey);
    return record !== undefined && (record.ring.size > 0 || record.failure !== undefined);
  }

  /** Counts what is held; a walk over all queries. */
  size(): StoreSize {
    let readings = 0;
    let capacity = 0;
    for (const { ring } of this.#records.values()) {
      readings += ring.size;
      capacity += ring.capacity;
    }
    return { queries: this.#records.size, readings, capacity };
  }
}

/** Readings that a query polled every `intervalMs` keeps: five minutes of them within fixed limits. */
export function ringCapacity(intervalMs: number): number {
  const wanted = Math.ceil(historyMs / intervalMs) + 1;
  return Math.min(maxRingCapacity, Math.max(minRingCapacity, wanted));
}
