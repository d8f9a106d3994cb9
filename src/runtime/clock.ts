import { performance } from "node:perf_hooks";

/**
 * Time as an argument: nothing else under src/ reads a clock or sets a timer, so tests decide what time it is.
 */
export interface Clock {
  /** Wall clock, milliseconds since the epoch. May jump either way; for timestamps only. */
  now(): number;
  /** Milliseconds since an arbitrary start. Never goes back; for ages and deadlines. */
  monotonic(): number;
  /**
   * Resolves after `delayMs`. When `signal` aborts first it rejects with the signal's reason, at once, and leaves no timer behind.
   */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
  /**
   * A signal that aborts with a `TimeoutError` after `delayMs`, or with the parent's reason when the parent aborts.
   * Call `clear` when the work is done: it drops the timer and the listener on the parent.
   */
  timeout(delayMs: number, parent?: AbortSignal): Deadline;
}

/** An abort signal with a timer behind it, and the way to let go of both. */
export interface Deadline {
  readonly signal: AbortSignal;
  readonly clear: () => void;
}

/** A function that returns a number from 0 (inclusive) to 1 (exclusive); `Math.random` in production. */
export type Random = () => number;

/** The process's random source; passed in by the composition root. */
export const systemRandom: Random = () => Math.random();

/** The longest delay that a timer takes, milliseconds: Node.js turns a longer one into 1 ms. */
const maxTimerMs = 2 ** 31 - 1;

/** Rejects or resolves as {@link Clock.sleep} says. */
async function sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, timerMs(delayMs));
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** Aborts as {@link Clock.timeout} says. */
function timeout(delayMs: number, parent?: AbortSignal): Deadline {
  const controller = new AbortController();
  const onParentAbort = (): void => {
    clear();
    controller.abort(parent?.reason);
  };
  const timer = setTimeout(() => {
    parent?.removeEventListener("abort", onParentAbort);
    controller.abort(new DOMException(`no answer within ${delayMs} ms`, "TimeoutError"));
  }, timerMs(delayMs));
  const clear = (): void => {
    clearTimeout(timer);
    parent?.removeEventListener("abort", onParentAbort);
  };
  if (parent?.aborted === true) onParentAbort();
  else parent?.addEventListener("abort", onParentAbort, { once: true });
  return { signal: controller.signal, clear };
}

function timerMs(delayMs: number): number {
  return Math.min(delayMs, maxTimerMs);
}

/** The real clock of this process. Its timers end after 24 days at the latest. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep,
  timeout,
};
