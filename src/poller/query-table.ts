import { sourceErrorCodes } from "../model/source-error.ts";
import type { SourceErrorCode } from "../model/source-error.ts";
import type { Random } from "../runtime/clock.ts";
import type { DesiredConnection, DesiredQuery } from "./desired-connection.ts";
import type { PollOutcome } from "./outcome.ts";
import type { PollBatch } from "./poll-batch.ts";
import { dueAfterFailureMs, dueAfterReadMs, offsetMs, roundUpToTick } from "./schedule.ts";
import type { Grid, Span } from "./schedule.ts";

/** How one try of a query ended, and when. */
export interface EndedTry extends Span {
  readonly outcome: PollOutcome;
}

/**
 * Queries by what their last poll gave. `pending`: none has ended. `read`: an answer, also that the thing does not exist where a reader
 * allows that. `hung`: the source still holds the query long after the deadline.
 */
export type QueryCounts = Readonly<Record<"pending" | "read" | "failing" | "hung", number>>;

/**
 * Time after a deadline at which a call of the source that still has not returned is given up, and its queries are polled again,
 * milliseconds. Until then they are busy: two reads of one query would overtake one another.
 */
const giveUpMs = 60_000;
/** Calls that may hang at one time before their queries are polled no more until one returns: bounds memory. */
const maxHungCalls = 64;
/** After a connection comes back its failed queries are polled within this time, milliseconds. */
const recoveryMs = 1_000;

interface QueryState {
  desired: DesiredQuery;
  grid: Grid;
  dueMs: number;
  /** Start of the last try that ended, monotonic milliseconds. */
  startedMs: number;
  /** Failures in a row. */
  failures: number;
  last: PollOutcome | undefined;
  /** The call that was asked for this query and has not told its outcome. */
  batch: PollBatch | undefined;
}

/**
 * The queries of one connection: which are due, which are busy, how often each failed. Knows no clock: instants come in, monotonic
 * milliseconds.
 */
export class QueryTable {
  readonly #random: Random;
  readonly #states = new Map<string, QueryState>();
  /** The call that holds each query, by key: also for a query that was removed meanwhile, and until a hung call returns. */
  readonly #busy = new Map<string, PollBatch>();
  readonly #underWay = new Set<PollBatch>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** Takes over what is wanted. Queries that stay as they are keep due time and backoff; new ones are due at once. */
  replace(connection: DesiredConnection, nowMs: number): void {
    const wanted = new Map(connection.queries.map((desired) => [desired.query.key, desired]));
    for (const key of [...this.#states.keys()]) {
      if (!wanted.has(key)) this.#states.delete(key);
    }
    for (const [key, desired] of wanted) {
      const grid = gridOf(connection, desired);
      const state = this.#states.get(key);
      if (state === undefined) {
        const fresh = {
          dueMs: nowMs,
          startedMs: nowMs,
          failures: 0,
          last: undefined,
          batch: undefined,
        };
        this.#states.set(key, { desired, grid, ...fresh });
      } else {
        this.#adopt(state, desired, grid, nowMs);
      }
    }
  }

  /** Every query's key in the store. */
  queryKeys(): readonly string[] {
    return [...this.#states.values()].map(({ desired }) => desired.queryKey);
  }

  /** Queries that are due and not busy, by their timeout in milliseconds; each group is one call of the source. */
  due(nowMs: number): ReadonlyMap<number, readonly DesiredQuery[]> {
    const groups = new Map<number, DesiredQuery[]>();
    for (const state of this.#states.values()) {
      if (this.#wakeMs(state) > nowMs) continue;
      const group = groups.get(state.desired.timeoutMs);
      if (group === undefined) groups.set(state.desired.timeoutMs, [state.desired]);
      else group.push(state.desired);
    }
    return groups;
  }

  /** The next instant at which something is due; infinite when nothing is, until an outcome or an update. */
  nextDueMs(): number {
    let nextMs = Infinity;
    for (const state of this.#states.values()) nextMs = Math.min(nextMs, this.#wakeMs(state));
    return nextMs;
  }

  /** Notes that a call has these queries now. */
  begin(batch: PollBatch, queries: readonly DesiredQuery[]): void {
    this.#underWay.add(batch);
    for (const { query } of queries) {
      this.#busy.set(query.key, batch);
      const state = this.#states.get(query.key);
      if (state !== undefined) state.batch = batch;
    }
  }

  /** What is wanted of a query, if this call still owes its outcome to somebody. */
  awaited(batch: PollBatch, key: string): DesiredQuery | undefined {
    const state = this.#states.get(key);
    return state?.batch === batch ? state.desired : undefined;
  }

  /** How the last poll of a query ended; undefined before the first. */
  last(key: string): PollOutcome | undefined {
    return this.#states.get(key)?.last;
  }

  /** Notes the outcome that the query's call told, and returns when the query (or one that it brought back) is due, monotonic milliseconds. */
  settle(key: string, ended: EndedTry): number {
    const state = this.#states.get(key);
    if (state === undefined) return Infinity;
    if (state.batch?.expiredMs === undefined) this.#busy.delete(key);
    state.batch = undefined;
    state.startedMs = ended.startedMs;
    const isRecovery = !isAnswered(state) && !this.#hasAnswer();
    state.last = ended.outcome;
    const failure = failureOf(state);
    if (failure !== undefined) return this.#fail(state, ended.endedMs, failure);
    state.failures = 0;
    state.dueMs = dueAfterReadMs(ended, state.grid);
    return isRecovery ? Math.min(state.dueMs, this.#bringBack(ended.endedMs)) : state.dueMs;
  }

  /** Notes that the call returned, and tells whether it still held a query, which may be due now. */
  end(batch: PollBatch): boolean {
    this.#underWay.delete(batch);
    const held = [...this.#busy].filter(([, holder]) => holder === batch);
    for (const [key] of held) this.#busy.delete(key);
    return held.length > 0;
  }

  /** How the last polls ended. */
  counts(): QueryCounts {
    const counts = { pending: 0, read: 0, failing: 0, hung: 0 };
    for (const [key, state] of this.#states) {
      if (this.#busy.get(key)?.expiredMs !== undefined) counts.hung += 1;
      else if (state.last === undefined) counts.pending += 1;
      else if (isAnswered(state)) counts.read += 1;
      else counts.failing += 1;
    }
    return counts;
  }

  /** Other settings take effect now: neither a longer interval nor a backoff that grew under the old ones is waited out. */
  #adopt(state: QueryState, desired: DesiredQuery, grid: Grid, nowMs: number): void {
    const isSame = hasSameSettings(state.desired, desired) && grid.offsetMs === state.grid.offsetMs;
    state.desired = desired;
    state.grid = grid;
    if (isSame) return;
    const { startedMs } = state;
    const code = failureOf(state);
    const dueMs =
      code === undefined
        ? dueAfterReadMs({ startedMs, endedMs: startedMs }, grid)
        : dueAfterFailureMs({ endedMs: nowMs, code, failures: 1 }, grid.intervalMs, this.#random);
    state.dueMs = Math.min(state.dueMs, dueMs);
  }

  #fail(state: QueryState, endedMs: number, code: SourceErrorCode): number {
    state.failures += 1;
    const failed = { endedMs, code, failures: state.failures };
    state.dueMs = dueAfterFailureMs(failed, state.grid.intervalMs, this.#random);
    return state.dueMs;
  }

  #hasAnswer(): boolean {
    for (const state of this.#states.values()) if (isAnswered(state)) return true;
    return false;
  }

  /** The first answer after all had failed: the connection is back, so what failed with it need not sit out its backoff. */
  #bringBack(nowMs: number): number {
    let firstMs = Infinity;
    for (const state of this.#states.values()) {
      const failure = failureOf(state);
      if (failure === undefined || sourceErrorCodes[failure] === "permanent") continue;
      const dueMs = roundUpToTick(nowMs + recoveryMs * this.#random());
      state.dueMs = Math.min(state.dueMs, dueMs);
      firstMs = Math.min(firstMs, state.dueMs);
    }
    return firstMs;
  }

  /** When a query can be polled: when it is due, or, while a call holds it, when that call is given up. */
  #wakeMs(state: QueryState): number {
    const holder = this.#busy.get(state.desired.query.key);
    if (holder === undefined) return state.dueMs;
    if (holder.expiredMs === undefined || this.#hungCalls() >= maxHungCalls) return Infinity;
    return Math.max(state.dueMs, holder.expiredMs + giveUpMs);
  }

  #hungCalls(): number {
    let hung = 0;
    for (const batch of this.#underWay) if (batch.expiredMs !== undefined) hung += 1;
    return hung;
  }
}

/** Why the last poll of a query gave no answer; undefined when it gave one, and before the first. */
function failureOf({ last, desired }: QueryState): SourceErrorCode | undefined {
  if (last === undefined || last === "Read" || last === "Refused") return undefined;
  return last === "NotFound" && desired.allowsMissing ? undefined : last;
}

function isAnswered(state: QueryState): boolean {
  return state.last !== undefined && failureOf(state) === undefined;
}

function hasSameSettings(a: DesiredQuery, b: DesiredQuery): boolean {
  const { intervalMs, timeoutMs, allowsMissing } = a;
  return (
    intervalMs === b.intervalMs && timeoutMs === b.timeoutMs && allowsMissing === b.allowsMissing
  );
}

function gridOf(connection: DesiredConnection, { query, intervalMs }: DesiredQuery): Grid {
  const together = connection.pacing === "together";
  const name = together ? connection.name : `${connection.name}\0${query.key}`;
  return { intervalMs, offsetMs: offsetMs(name, intervalMs) };
}
