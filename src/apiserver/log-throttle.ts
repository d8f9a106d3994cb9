import type { Clock } from "../runtime/clock.ts";

interface Entry {
  loggedMs: number;
  suppressed: number;
}

/**
 * Lets a line that anybody can provoke through once per interval, so that a client cannot fill the log. Keys are constants of the code.
 */
export class LogThrottle {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #entries = new Map<string, Entry>();

  /** @param intervalMs shortest time between two lines of one key */
  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
  }

  /** How many lines were held back since the last one that was let through; undefined when this one is to be held back. */
  admit(key: string): number | undefined {
    const nowMs = this.#clock.monotonic();
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      this.#entries.set(key, { loggedMs: nowMs, suppressed: 0 });
      return 0;
    }
    if (nowMs - entry.loggedMs < this.#intervalMs) {
      entry.suppressed += 1;
      return undefined;
    }
    const { suppressed } = entry;
    entry.loggedMs = nowMs;
    entry.suppressed = 0;
    return suppressed;
  }
}
