import type { Reading } from "../../../src/model/reading.ts";
import { SourceError } from "../../../src/model/source-error.ts";
import type { SourceErrorCode } from "../../../src/model/source-error.ts";
import type { DesiredConnection, DesiredQuery } from "../../../src/poller/desired-connection.ts";
import { offsetMs } from "../../../src/poller/schedule.ts";
import type { PollEvent, PollObserver } from "../../../src/poller/poll-observer.ts";
import { ReadingStore } from "../../../src/store/reading-store.ts";
import type { FetchOutcome, Source } from "../../../src/sources/source.ts";
import { FakeClock } from "../../fakes/fake-clock.ts";
import { fakeQuery } from "../../fakes/fake-source.ts";

/** An observer that keeps what it was told. */
export class RecordingObserver implements PollObserver {
  readonly polls: PollEvent[] = [];
  readonly told: string[] = [];

  connectionAdded(connection: string): void {
    this.told.push(`added ${connection}`);
  }
  connectionRemoved(connection: string): void {
    this.told.push(`removed ${connection}`);
  }
  polled(event: PollEvent): void {
    this.polls.push(event);
  }
  fetched(connection: string, durationMs: number): void {
    this.told.push(`fetched ${connection} in ${durationMs}`);
  }
  dropped(connection: string, reason: string): void {
    this.told.push(`dropped ${connection} ${reason}`);
  }
  listenerFailed(connection: string, error: Error): void {
    this.told.push(`listener failed ${connection} ${error.message}`);
  }
}

/** Everything a poller works with, under the test's hands. */
export function pollingHouse() {
  const clock = new FakeClock();
  const store = new ReadingStore();
  const observer = new RecordingObserver();
  const outcomes: string[] = [];
  const onOutcome = (queryKey: string): void => {
    outcomes.push(queryKey);
  };
  const dependencies = { clock, store, observer, onOutcome, random: () => 0.5 };
  return { clock, store, observer, outcomes, dependencies };
}

/** A query whose key in the store is `<connection>/<key>`. */
export function desiredQuery(
  connection: string,
  key: string,
  polling: { readonly intervalMs?: number; readonly timeoutMs?: number } = {},
): DesiredQuery {
  return {
    queryKey: `${connection}/${key}`,
    query: fakeQuery(key),
    intervalMs: polling.intervalMs ?? 5_000,
    timeoutMs: polling.timeoutMs ?? 3_000,
    allowsMissing: false,
  };
}

/** A connection with queries polled every 5 s under a deadline of 3 s. */
export function desiredConnection(
  name: string,
  keys: readonly string[],
  source: Source | (() => Source | Promise<Source>),
): DesiredConnection {
  return {
    name,
    identity: `${name}-1`,
    createSource: typeof source === "function" ? source : () => source,
    queries: keys.map((key) => desiredQuery(name, key)),
  };
}

/** An outcome: a reading of this instant. */
export function read(clock: FakeClock, waiting = 1): FetchOutcome {
  const reading: Reading = {
    timestampMs: clock.now(),
    monotonicMs: clock.monotonic(),
    fields: { waiting },
  };
  return { status: "read", reading };
}

/** An outcome: a failure. */
export function failed(code: SourceErrorCode): FetchOutcome {
  return { status: "failed", error: new SourceError(code, `failed with ${code}`) };
}

/** The offset of a query as the poller works it out. */
export function queryOffsetMs(connection: string, key: string, intervalMs = 5_000): number {
  return offsetMs(`${connection}\0${key}`, intervalMs);
}
