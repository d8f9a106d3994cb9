import { SourceError } from "../model/source-error.ts";
import type { Clock } from "../runtime/clock.ts";
import { errorFromUnknown } from "../runtime/errors.ts";
import type { FetchOutcome, Query, Source } from "../sources/source.ts";
import type { DropReason } from "./poll-observer.ts";

/** Whose queries a batch reads, and who hears of it. */
export interface PollBatchOptions {
  readonly clock: Clock;
  readonly source: Source;
  /** For messages. */
  readonly connection: string;
  readonly timeoutMs: number;
  /** Aborts when the connection is given up: then nothing more is settled. */
  readonly lifetime: AbortSignal;
  /** Takes the one outcome of each query. */
  readonly settle: (query: Query, outcome: FetchOutcome) => void;
  readonly dropped: (reason: DropReason) => void;
  /** Told once, after so many milliseconds: when the source returns, or at the deadline where that is sooner. */
  readonly ended: (durationMs: number) => void;
}

/**
 * One call of `Source.fetch`: sees to it that each of its queries is settled exactly once, whatever the source does.
 *
 * What is not reported when the deadline passes is `DeadlineExceeded`, also when the source does not return then; a report that comes
 * later is dropped, even a good one: the failure is already told, and the next poll is soon. What is not reported when the source
 * returns, rejects or throws is `Internal`.
 */
export class PollBatch {
  readonly startedMs: number;
  readonly #options: PollBatchOptions;
  readonly #open: Map<string, Query>;
  readonly #keys: ReadonlySet<string>;
  #expiredMs: number | undefined;

  constructor(queries: readonly Query[], options: PollBatchOptions) {
    this.#options = options;
    this.startedMs = options.clock.monotonic();
    this.#open = new Map(queries.map((query) => [query.key, query]));
    this.#keys = new Set(this.#open.keys());
  }

  /** Instant at which the deadline passed, monotonic milliseconds; undefined while it has not. */
  get expiredMs(): number | undefined {
    return this.#expiredMs;
  }

  /** Runs the call; resolves when the source has returned, which may be long after the deadline, or never. Does not reject. */
  async run(): Promise<void> {
    const { clock, source, timeoutMs, lifetime } = this.#options;
    const deadline = clock.timeout(timeoutMs, lifetime);
    const onAbort = (): void => this.#expire();
    deadline.signal.addEventListener("abort", onAbort, { once: true });
    try {
      await source.fetch(
        [...this.#open.values()],
        (query, outcome) => this.#report(query, outcome),
        deadline.signal,
      );
      this.#settleRest("Internal", "the source told no outcome");
    } catch (reason) {
      this.#settleRest("Internal", "the source failed", errorFromUnknown(reason));
    } finally {
      deadline.signal.removeEventListener("abort", onAbort);
      deadline.clear();
      if (this.#expiredMs === undefined) this.#end();
    }
  }

  #expire(): void {
    this.#expiredMs = this.#options.clock.monotonic();
    this.#settleRest("DeadlineExceeded", `no answer within ${this.#options.timeoutMs} ms`);
    this.#end();
  }

  #end(): void {
    const { clock, lifetime, ended } = this.#options;
    if (!lifetime.aborted) ended(clock.monotonic() - this.startedMs);
  }

  #report(query: Query, outcome: FetchOutcome): void {
    const { lifetime, dropped, settle } = this.#options;
    if (lifetime.aborted) return;
    const asked = this.#open.get(query.key);
    if (asked !== undefined) {
      this.#open.delete(query.key);
      settle(asked, outcome);
    } else if (!this.#keys.has(query.key)) {
      dropped("Foreign");
    } else {
      dropped(this.#expiredMs === undefined ? "Duplicate" : "Late");
    }
  }

  #settleRest(code: "Internal" | "DeadlineExceeded", finding: string, cause?: Error): void {
    const { connection, lifetime, settle } = this.#options;
    const rest = [...this.#open.values()];
    this.#open.clear();
    if (lifetime.aborted) return;
    for (const query of rest) {
      const message = `connection ${JSON.stringify(connection)}: ${query.description}: ${finding}`;
      const error = new SourceError(code, message, cause === undefined ? undefined : { cause });
      settle(query, { status: "failed", error });
    }
  }
}
