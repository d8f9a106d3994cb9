import type { Component } from "../runtime/lifecycle.ts";
import type { Check } from "../runtime/health.ts";
import type { Source } from "../sources/source.ts";
import type { DesiredConnection } from "./desired-connection.ts";
import { FirstPollCheck } from "./first-poll.ts";
import { Poller } from "./poller.ts";
import type { PollerDependencies } from "./poller.ts";
import type { QueryCounts } from "./query-table.ts";

/** A change that was found possible. Exactly one of the two is called, once. */
export interface PreparedPolling {
  /** Puts it into force: synchronous, cannot fail. Throws only when polling has stopped or another change was committed since. */
  commit(): void;
  /** Lets go of what was made for it; no-op once it is in force. */
  discard(): Promise<void>;
}

/** What is polled over one connection; for metrics. */
export interface ConnectionSummary {
  readonly connection: string;
  readonly counts: QueryCounts;
  /** Age of the newest reading of each query that has one, milliseconds, in no order. */
  readonly sampleAgesMs: readonly number[];
}

interface RunningConnection {
  readonly desired: DesiredConnection;
  readonly poller: Poller;
}

/**
 * Turns desired connections into running pollers (Prometheus: scrape.Manager). What did not change keeps its client, its due times and
 * its readings.
 */
export class PollerManager implements Component {
  readonly name = "poller";
  readonly #dependencies: PollerDependencies;
  readonly #running = new Map<string, RunningConnection>();
  readonly #leaving = new Set<Promise<void>>();
  readonly #firstPoll: FirstPollCheck;
  #generation = 0;
  #state: "new" | "started" | "stopped" = "new";

  constructor(dependencies: PollerDependencies) {
    this.#dependencies = dependencies;
    this.#firstPoll = new FirstPollCheck(dependencies.clock, () => this.#waitingQueries());
  }

  /**
   * Makes the sources of new and changed connections, without dialling, and changes nothing else. Throws when two connections or two
   * queries share a name, or what `createSource` throws; then nothing is left behind.
   */
  async prepare(desired: readonly DesiredConnection[]): Promise<PreparedPolling> {
    assertUnique(desired);
    const generation = this.#generation;
    const sources = new Map<string, Source>();
    const discard = async (): Promise<void> => {
      await Promise.allSettled([...sources.values()].map(async (source) => source.close()));
    };
    try {
      for (const connection of desired) {
        if (this.#running.get(connection.name)?.desired.identity === connection.identity) continue;
        sources.set(connection.name, await connection.createSource());
      }
    } catch (reason) {
      await discard();
      throw reason;
    }
    const commit = (): void => {
      if (this.#state === "stopped") throw new Error("polling has stopped");
      if (generation !== this.#generation) throw new Error("another change was committed first");
      this.#generation += 1;
      this.#commit(desired, sources);
      sources.clear();
    };
    return { commit, discard };
  }

  /** Prepares and commits. */
  async apply(desired: readonly DesiredConnection[]): Promise<void> {
    const prepared = await this.prepare(desired);
    prepared.commit();
  }

  /** Starts polling what was applied, and from now on whatever is applied. */
  start(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(abortReason(signal));
    if (this.#state === "new") {
      this.#state = "started";
      this.#firstPoll.started();
      for (const running of this.#running.values()) this.#begin(running);
    }
    return Promise.resolve();
  }

  /** Stops all pollers at once and closes their sources; bounded by the limits of one poller. Readings stay in the store. */
  async stop(): Promise<void> {
    this.#state = "stopped";
    const stopping = [...this.#running.values()].map(({ poller }) => poller.stop());
    await Promise.all([...stopping, ...this.#leaving]);
  }

  /** Readiness: see {@link FirstPollCheck}. */
  firstPollCheck(): Check {
    return this.#firstPoll;
  }

  /** What is polled, connection by connection; a walk over all queries. */
  summaries(): readonly ConnectionSummary[] {
    const { clock, store } = this.#dependencies;
    const nowMs = clock.monotonic();
    return [...this.#running.values()].map(({ desired, poller }) => ({
      connection: desired.name,
      counts: poller.counts(),
      sampleAgesMs: poller.queryKeys().flatMap((queryKey) => {
        const newest = store.newest(queryKey);
        return newest === undefined ? [] : [nowMs - newest.monotonicMs];
      }),
    }));
  }

  #commit(desired: readonly DesiredConnection[], sources: ReadonlyMap<string, Source>): void {
    const { store } = this.#dependencies;
    const names = new Set(desired.map(({ name }) => name));
    const wantedKeys = new Set(desired.flatMap(({ queries }) => queries.map(keyOf)));
    for (const [name, { desired: old, poller }] of [...this.#running]) {
      // Another identity may be another Redis: what was read from the old one says nothing about it.
      const isReplaced = sources.has(name);
      const keptKeys = isReplaced ? new Set<string>() : wantedKeys;
      for (const queryKey of old.queries.map(keyOf)) {
        if (!keptKeys.has(queryKey)) store.forget(queryKey);
      }
      if (names.has(name) && !isReplaced) continue;
      this.#running.delete(name);
      this.#leave(poller);
      if (!names.has(name)) this.#announceEnd(name);
    }
    for (const connection of desired) {
      for (const { queryKey, intervalMs } of connection.queries) store.add(queryKey, intervalMs);
      this.#put(connection, sources.get(connection.name));
    }
  }

  #put(desired: DesiredConnection, source: Source | undefined): void {
    const running = this.#running.get(desired.name);
    if (running !== undefined) {
      running.poller.update(desired);
      this.#running.set(desired.name, { desired, poller: running.poller });
    } else if (source !== undefined) {
      const added = { desired, poller: new Poller(desired, source, this.#dependencies) };
      this.#running.set(desired.name, added);
      if (this.#state === "started") this.#begin(added);
    }
  }

  /** What never began does not end. */
  #announceEnd(connection: string): void {
    if (this.#state === "started") this.#dependencies.observer.connectionRemoved(connection);
  }

  #begin({ desired, poller }: RunningConnection): void {
    this.#dependencies.observer.connectionAdded(desired.name);
    poller.start();
  }

  #leave(poller: Poller): void {
    const leaving = poller.stop().finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }

  #waitingQueries(): number {
    let waiting = 0;
    for (const { desired } of this.#running.values()) {
      for (const { queryKey } of desired.queries) {
        if (!this.#dependencies.store.hasOutcome(queryKey)) waiting += 1;
      }
    }
    return waiting;
  }
}

function keyOf({ queryKey }: { readonly queryKey: string }): string {
  return queryKey;
}

function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error("the start was given up");
}

/** Names that are used twice are a fault of the caller: one of the two would silently not be polled. */
function assertUnique(desired: readonly DesiredConnection[]): void {
  const names = new Set<string>();
  const queryKeys = new Set<string>();
  for (const { name, queries } of desired) {
    if (names.has(name)) throw new Error(`connection ${JSON.stringify(name)} is given twice`);
    names.add(name);
    for (const { queryKey } of queries) {
      if (queryKeys.has(queryKey))
        throw new Error(`query ${JSON.stringify(queryKey)} is given twice`);
      queryKeys.add(queryKey);
    }
  }
}
