import { SourceError } from "../model/source-error.ts";
import type { Clock, Random } from "../runtime/clock.ts";
import { errorFromUnknown } from "../runtime/errors.ts";
import { within } from "../runtime/within.ts";
import type { FetchOutcome, Query, Source } from "../sources/source.ts";
import type { RecordResult } from "../store/record-result.ts";
import type { DesiredConnection, DesiredQuery } from "./desired-connection.ts";
import { pollOutcomeFromRecord } from "./outcome.ts";
import { PollBatch } from "./poll-batch.ts";
import type { DropReason, PollObserver } from "./poll-observer.ts";
import type { QueryStore } from "./query-store.ts";
import { QueryTable } from "./query-table.ts";
import type { QueryCounts } from "./query-table.ts";

/** What a poller works with; the same for all connections. */
export interface PollerDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly store: QueryStore;
  readonly observer: PollObserver;
  /** Called after each outcome is in the store. What it throws goes to the observer; polling goes on. */
  readonly onOutcome: (queryKey: string) => void;
}

/** Time that a stopping poller gives its source to return, and then to close, milliseconds each. */
const stopLimitMs = 2_000;
/** Longest time without a look at the table, milliseconds. */
const maxSleepMs = 60_000;

/**
 * Polls the queries of one connection: hands what is due to the source, stores each outcome as it comes, and decides when each query is
 * due again. A call of the source that hangs holds back nothing but its own unreported queries.
 */
export class Poller {
  readonly #name: string;
  readonly #source: Source;
  readonly #dependencies: PollerDependencies;
  readonly #table: QueryTable;
  readonly #lifetime = new AbortController();
  readonly #calls = new Set<Promise<void>>();
  #wake = new AbortController();
  /** When the loop looks at the table next, monotonic milliseconds. */
  #wakesAtMs = 0;
  #loop: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(connection: DesiredConnection, source: Source, dependencies: PollerDependencies) {
    this.#name = connection.name;
    this.#source = source;
    this.#dependencies = dependencies;
    this.#table = new QueryTable(dependencies.random);
    this.#table.replace(connection, dependencies.clock.monotonic());
  }

  /** Starts polling; the first polls are due at once. Idempotent; no-op after `stop`. */
  start(): void {
    if (this.#lifetime.signal.aborted) return;
    this.#loop ??= this.#run();
  }

  /** Takes over what is wanted now. Queries that stay as they are keep their due time and backoff; new ones are due at once. */
  update(connection: DesiredConnection): void {
    this.#table.replace(connection, this.#dependencies.clock.monotonic());
    this.#wake.abort();
  }

  /** How the last polls of the queries ended; for metrics. */
  counts(): QueryCounts {
    return this.#table.counts();
  }

  /** Keys of the queries in the store. */
  queryKeys(): readonly string[] {
    return this.#table.queryKeys();
  }

  /** Stops polling, lets go of calls under way and closes the source. Bounded; idempotent. Nothing is stored any more once it is called. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const { clock } = this.#dependencies;
    this.#lifetime.abort(new DOMException("the connection is polled no more", "AbortError"));
    this.#wake.abort();
    await this.#loop;
    await within(clock, stopLimitMs, Promise.allSettled(this.#calls));
    await within(clock, stopLimitMs, closed(this.#source));
  }

  async #run(): Promise<void> {
    const { clock } = this.#dependencies;
    while (!this.#lifetime.signal.aborted) {
      const wake = new AbortController();
      this.#wake = wake;
      const due = this.#table.due(clock.monotonic());
      for (const [timeoutMs, queries] of due) this.#call(queries, timeoutMs);
      const nowMs = clock.monotonic();
      this.#wakesAtMs = Math.min(nowMs + maxSleepMs, this.#table.nextDueMs());
      // At least one turn of the timers: whatever a source does, the loop leaves time to everything else.
      const delayMs = Math.max(1, Math.ceil(this.#wakesAtMs - nowMs));
      // The sleep rejects when somebody wakes the loop: that is how it is meant to end early.
      await clock.sleep(delayMs, wake.signal).catch(() => undefined);
    }
  }

  /** Starts one call of the source and keeps hold of it until it returns. */
  #call(queries: readonly DesiredQuery[], timeoutMs: number): void {
    const { clock, observer } = this.#dependencies;
    const options = {
      clock,
      source: this.#source,
      connection: this.#name,
      timeoutMs,
      lifetime: this.#lifetime.signal,
      settle: (query: Query, outcome: FetchOutcome) => this.#settle(batch, query, outcome),
      dropped: (reason: DropReason) => observer.dropped(this.#name, reason),
      ended: (durationMs: number) => observer.fetched(this.#name, durationMs),
    };
    const asked = queries.map(({ query }) => query);
    const batch = new PollBatch(asked, options);
    this.#table.begin(batch, queries);
    const call = batch.run().then(() => {
      this.#calls.delete(call);
      if (this.#table.end(batch)) this.#wake.abort();
    });
    this.#calls.add(call);
  }

  #settle(batch: PollBatch, query: Query, outcome: FetchOutcome): void {
    const { clock, observer } = this.#dependencies;
    const desired = this.#table.awaited(batch, query.key);
    if (desired === undefined) return;
    const { queryKey } = desired;
    const endedMs = clock.monotonic();
    const result = this.#record(queryKey, query, outcome);
    const polled = pollOutcomeFromRecord(result);
    const previous = this.#table.last(query.key);
    const ended = { startedMs: batch.startedMs, endedMs, outcome: polled };
    if (this.#table.settle(query.key, ended) < this.#wakesAtMs) this.#wake.abort();
    observer.polled({
      connection: this.#name,
      queryKey,
      outcome: polled,
      ...(previous === undefined ? {} : { previous }),
      ...(result.status === "failed" ? { error: result.error } : {}),
      ...(polled === "NotFound" && desired.allowsMissing ? { isAllowed: true } : {}),
    });
    this.#announce(queryKey);
  }

  #announce(queryKey: string): void {
    try {
      this.#dependencies.onOutcome(queryKey);
    } catch (reason) {
      this.#dependencies.observer.listenerFailed(this.#name, errorFromUnknown(reason));
    }
  }

  /** Stores an outcome. What cannot be worked out or stored, whatever a source made of it, is a failure of our own. */
  #record(queryKey: string, query: Query, outcome: FetchOutcome): RecordResult {
    const { clock, store } = this.#dependencies;
    try {
      return store.record(queryKey, this.#derive(queryKey, outcome), clock.monotonic());
    } catch (reason) {
      const thing = `connection ${JSON.stringify(this.#name)}: ${query.description}`;
      const message = `${thing}: the reading could not be worked out`;
      const error = new SourceError("Internal", message, { cause: errorFromUnknown(reason) });
      return store.record(queryKey, { status: "failed", error }, clock.monotonic());
    }
  }

  #derive(queryKey: string, outcome: FetchOutcome): FetchOutcome {
    if (outcome.status === "failed" || this.#source.derive === undefined) return outcome;
    const { reading } = outcome;
    const history = this.#dependencies.store
      .history(queryKey)
      .filter(({ monotonicMs }) => monotonicMs < reading.monotonicMs);
    return { status: "read", reading: this.#source.derive(reading, history) };
  }
}

/** The end of `close`, also where that throws at once. */
async function closed(source: Source): Promise<void> {
  await source.close();
}
