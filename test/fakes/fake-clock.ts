import type { Clock, Deadline } from "../../src/runtime/clock.ts";

interface Timer {
  readonly dueMs: number;
  readonly fire: () => void;
}

/** A clock that moves only when told to. Wall time and monotonic time can be moved apart. */
export class FakeClock implements Clock {
  #monotonicMs = 0;
  #wallOffsetMs: number;
  readonly #timers = new Set<Timer>();

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#wallOffsetMs = startMs;
  }

  now(): number {
    return this.#wallOffsetMs + this.#monotonicMs;
  }

  monotonic(): number {
    return this.#monotonicMs;
  }

  /** Makes the wall clock jump without any time passing. */
  jumpWallClock(deltaMs: number): void {
    this.#wallOffsetMs += deltaMs;
  }

  /** Timers that have not fired: 0 proves that nothing is left behind. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  async sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        this.#timers.delete(timer);
        reject(signal?.reason as Error);
      };
      const timer = this.#schedule(delayMs, () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  timeout(delayMs: number, parent?: AbortSignal): Deadline {
    const controller = new AbortController();
    const timer = this.#schedule(delayMs, () => {
      parent?.removeEventListener("abort", onParentAbort);
      controller.abort(new DOMException(`no answer within ${delayMs} ms`, "TimeoutError"));
    });
    const clear = (): void => {
      this.#timers.delete(timer);
      parent?.removeEventListener("abort", onParentAbort);
    };
    const onParentAbort = (): void => {
      clear();
      controller.abort(parent?.reason);
    };
    if (parent?.aborted === true) onParentAbort();
    else parent?.addEventListener("abort", onParentAbort, { once: true });
    return { signal: controller.signal, clear };
  }

  /** Lets time pass: fires due timers in order, letting promises settle after each. */
  async advance(durationMs: number): Promise<void> {
    const untilMs = this.#monotonicMs + durationMs;
    await settle();
    for (;;) {
      const next = [...this.#timers]
        .filter((timer) => timer.dueMs <= untilMs)
        .sort((a, b) => a.dueMs - b.dueMs)[0];
      if (next === undefined) break;
      this.#monotonicMs = Math.max(this.#monotonicMs, next.dueMs);
      this.#timers.delete(next);
      next.fire();
      await settle();
    }
    this.#monotonicMs = untilMs;
    await settle();
  }

  #schedule(delayMs: number, fire: () => void): Timer {
    const timer: Timer = { dueMs: this.#monotonicMs + Math.max(0, delayMs), fire };
    this.#timers.add(timer);
    return timer;
  }
}

/** Lets pending promise reactions run; no time passes on any fake clock. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  await new Promise<void>((resolve) => setImmediate(resolve));
}
