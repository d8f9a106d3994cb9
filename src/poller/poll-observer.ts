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
  /** How the poll before ended; absent for the first. */
  readonly previous?: PollOutcome;
  /** Set where the outcome is a failure. */
  readonly error?: SourceError;
  /** Set where that failure is the absence of a thing, and a reader takes that for an empty one. */
  readonly isAllowed?: true;
}

/** What polling tells the metrics and the log. Calls are synchronous and never throw. */
export interface PollObserver {
  /** A connection is polled from now on; told again when its source was replaced. */
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

/** Tells several observers, in this order. */
export function combineObservers(...observers: readonly PollObserver[]): PollObserver {
  const tell = (call: (observer: PollObserver) => void): void => {
    for (const observer of observers) call(observer);
  };
  return {
    connectionAdded: (connection) => tell((observer) => observer.connectionAdded(connection)),
    connectionRemoved: (connection) => tell((observer) => observer.connectionRemoved(connection)),
    polled: (event) => tell((observer) => observer.polled(event)),
    fetched: (connection, durationMs) => tell((each) => each.fetched(connection, durationMs)),
    dropped: (connection, reason) => tell((observer) => observer.dropped(connection, reason)),
    listenerFailed: (connection, error) => tell((each) => each.listenerFailed(connection, error)),
  };
}
