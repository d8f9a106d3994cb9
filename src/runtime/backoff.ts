import type { Random } from "./clock.ts";

/** Bounds of a backoff, in milliseconds; 0 < initialMs <= maxMs. */
export interface BackoffOptions {
  readonly initialMs: number;
  readonly maxMs: number;
}

/**
 * Delay before try number `failures + 1` after `failures` failures in a row: doubles from `initialMs` up to `maxMs`, then is spread
 * evenly over the upper half ("equal jitter", AWS Architecture Blog, Exponential Backoff And Jitter), so that many queries that failed
 * together do not return together. `failures` is 1 or more; the result is at least half of `initialMs` and at most `maxMs`.
 */
export function backoffDelayMs(failures: number, options: BackoffOptions, random: Random): number {
  const exponent = Math.min(Math.max(failures, 1) - 1, 32);
  const ceilingMs = Math.min(options.maxMs, options.initialMs * 2 ** exponent);
  return ceilingMs / 2 + (ceilingMs / 2) * random();
}
