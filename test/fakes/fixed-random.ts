import type { Random } from "../../src/runtime/clock.ts";

/** A random source that always gives the same number, 0 to below 1. */
export function fixedRandom(value: number): Random {
  return () => value;
}
