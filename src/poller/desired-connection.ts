import type { Query, Source } from "../sources/source.ts";

/** One query that somebody wants polled. */
export interface DesiredQuery {
  /** Identity in the store, unique over all connections. */
  readonly queryKey: string;
  readonly query: Query;
  /** Time between two polls, milliseconds, above 0; the smallest that any reader asks for. */
  readonly intervalMs: number;
  /** Time after which a poll without an answer has failed, milliseconds, above 0. */
  readonly timeoutMs: number;
  /**
   * Whether a reader takes a thing that does not exist for an empty one. `NotFound` is an answer then, not a failure: it is asked for again
   * after the interval, without backoff, and the connection that gave it works.
   */
  readonly allowsMissing: boolean;
}

/** One connection that somebody wants polled, with everything that is read over it. */
export interface DesiredConnection {
  /** Unique; the `connection` label of metrics and logs. */
  readonly name: string;
  /** Changes exactly when the options of the connection do. Another identity means another source, and its readings start anew. */
  readonly identity: string;
  /** Makes the source; does not dial. Throws or rejects when the options cannot be used (a secret file that is missing). */
  readonly createSource: () => Source | Promise<Source>;
  readonly queries: readonly DesiredQuery[];
  /**
   * `spread` (default): the polls of the queries are spread over their interval, for sources that ask once for each query. `together`:
   * equal intervals fall due at the same instant, for sources that answer all queries with one call (one scrape, one ListOffsets).
   */
  readonly pacing?: "spread" | "together";
}
