import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backoffDelayMs } from "../../../src/runtime/backoff.ts";

const options = { initialMs: 1_000, maxMs: 30_000 };

describe("backoffDelayMs", () => {
  it.each([
    [1, 500, 1_000],
    [2, 1_000, 2_000],
    [3, 2_000, 4_000],
    [5, 8_000, 16_000],
    [6, 15_000, 30_000],
    [1_000_000, 15_000, 30_000],
  ])("after %d failures is from %d to %d ms", (failures, leastMs, mostMs) => {
    expect(backoffDelayMs(failures, options, () => 0)).toBe(leastMs);
    expect(backoffDelayMs(failures, options, () => 1)).toBe(mostMs);
    expect(backoffDelayMs(failures, options, () => 0.5)).toBe((leastMs + mostMs) / 2);
  });

  it("takes no failure as one", () => {
    expect(backoffDelayMs(0, options, () => 1)).toBe(1_000);
  });

  it("stays within its bounds and never shrinks with more failures", () => {
    const bounds = fc
      .tuple(fc.integer({ min: 1, max: 60_000 }), fc.integer({ min: 0, max: 600_000 }))
      .map(([initialMs, more]) => ({ initialMs, maxMs: initialMs + more }));
    const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), bounds, chance, (failures, limits, at) => {
        const delayMs = backoffDelayMs(failures, limits, () => at);
        expect(delayMs).toBeGreaterThanOrEqual(limits.initialMs / 2);
        expect(delayMs).toBeLessThanOrEqual(limits.maxMs);
        expect(backoffDelayMs(failures + 1, limits, () => at)).toBeGreaterThanOrEqual(delayMs);
      }),
    );
  });
});
