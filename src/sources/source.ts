import type { Reading } from "../model/reading.ts";
import type { SourceError } from "../model/source-error.ts";

/** One distinct thing to read on one connection, however many signals use it. */
export interface Query {
  /** Identity within the connection: equal keys are the same query. Stable over restarts and reloads. */
  readonly key: string;
  /** The key of the input that asks for it: tells kinds of things apart where one connection carries several. */
  readonly sourceType: "bullmq";
  /** The thing in the field's words, for messages: `queue "orders"`. Holds no secret. */
  readonly description: string;
}

/** How one read of one query ended. */
export type FetchOutcome =
  | { readonly status: "read"; readonly reading: Reading }
  | { readonly status: "failed"; readonly error: SourceError };

/** Receives each query's outcome as soon as it is known. Called at most once a query and fetch; later calls are ignored. */
export type Report<Q extends Query> = (query: Q, outcome: FetchOutcome) => void;

/**
 * Reads the queries of one connection. Does not dial when it is made; reconnects by itself.
 */
export interface Source<Q extends Query = Query> {
  /**
   * Reads every query once and reports one outcome for each as it arrives, in any order; a slow or broken thing delays only its own outcome.
   * Resolves when all are reported. Never rejects for a failed read. When `signal` aborts (the deadline), it returns promptly;
   * the poller reports what is left as `DeadlineExceeded`. Calls for different queries overlap: one that is slow does not hold up the next.
   */
  fetch(queries: readonly Q[], report: Report<Q>, signal: AbortSignal): Promise<void>;

  /**
   * Adds fields that need earlier readings (rates from counters). Pure. `history` is oldest first and does not hold `reading`.
   * A field that cannot be told yet stays absent. Without it the reading is stored as it came.
   */
  derive?(reading: Reading, history: readonly Reading[]): Reading;

  /** Lets go of the connection; bounded, idempotent. */
  close(): Promise<void>;
}
