import type { Clock } from "../runtime/clock.ts";
import type { Check, CheckResult } from "../runtime/health.ts";

/** Time after which a replica serves whatever it knows, milliseconds since the start of polling. */
const limitMs = 10_000;

/**
 * Readiness check `first-poll`: a new replica takes traffic once every query has had one outcome, a success *or a failure*, or 10 s have
 * passed, so that it does not answer 503 for what its neighbour knows. Once green it stays green, also when a reload adds queries.
 */
export class FirstPollCheck implements Check {
  readonly name = "first-poll";
  readonly #clock: Clock;
  /** Queries that have had no outcome. */
  readonly #waiting: () => number;
  #startedMs: number | undefined;
  #hasPassed = false;

  constructor(clock: Clock, waiting: () => number) {
    this.#clock = clock;
    this.#waiting = waiting;
  }

  /** Starts the clock of the limit; later calls change nothing. */
  started(): void {
    this.#startedMs ??= this.#clock.monotonic();
  }

  /** Failed before polling starts and while queries wait within the limit. */
  run(): CheckResult {
    if (this.#hasPassed) return { status: "ok" };
    if (this.#startedMs === undefined)
      return { status: "failed", reason: "polling has not started" };
    const waiting = this.#waiting();
    this.#hasPassed = waiting === 0 || this.#clock.monotonic() - this.#startedMs >= limitMs;
    if (this.#hasPassed) return { status: "ok" };
    return { status: "failed", reason: `${waiting} queries have had no outcome` };
  }
}
