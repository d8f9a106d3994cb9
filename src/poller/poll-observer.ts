import type { SourceError } from "../model/source-error.ts";
import type { PollOutcome } from "./outcome.ts";

/** Why a report was not taken: its query was not asked for, was reported before, or its deadline had passed. */
export type DropReason = "Foreign" | "Duplicate" | "Late";

/** Every reason there is; for setting counters to 0. */
export const dropReasons: readonly DropReason[] = ["Foreign", "Duplicate", "Late"];

/** One poll of one query that ended. */
export interface PollEvent {
  readonly connection: string;
  readonly queryKey: string;
  readonly outcome: PollOutcome;
  /** Set where the outcome is a failure. */
  readonly error?: SourceError;
}

/** What polling tells the metrics and the log. Calls are synchronous and never throw. */
export interface PollObserver {
  /** A connection is polled from now on; not called again when its source is replaced. */
  connectionAdded(connection: string): void;
  /** A connection is polled no more. */
  connectionRemoved(connection: string): void;
  /** A poll of a query ended. */
  polled(event: PollEvent): void;
  /** One call of a source returned, or was given up, after so many milliseconds. */
  fetched(connection: string, durationMs: number): void;
  /** A source reported something that was not taken. */
  dropped(connection: string, reason: DropReason): void;
  /** Whoever is told of outcomes threw. */
  listenerFailed(connection: string, error: Error): void;
}
