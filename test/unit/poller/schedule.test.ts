import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sourceErrorCodes } from "../../../src/model/source-error.ts";
import type { SourceErrorCode } from "../../../src/model/source-error.ts";
import {
  dueAfterFailureMs,
  dueAfterReadMs,
  offsetMs,
  roundUpToTick,
  tickMs,
} from "../../../src/poller/schedule.ts";

const codes = Object.keys(sourceErrorCodes) as SourceErrorCode[];
const intervals = fc.integer({ min: 1, max: 120 }).map((seconds) => seconds * 1_000);

describe("offsetMs", () => {
  it("is the same for the same name, in every process and release", () => {
    // FNV-1a of "orders" is 0x325e96ec; of 20 ticks that is number 0.
    expect(offsetMs("orders", 5_000)).toBe(0 * tickMs);
  });

  it("lies on a tick within the interval", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 120_000 }), (name, intervalMs) => {
        const offset = offsetMs(name, intervalMs);
        expect(offset % tickMs).toBe(0);
        expect(offset).toBeGreaterThanOrEqual(0);
        expect(offset).toBeLessThan(intervalMs);
      }),
    );
  });

  it("spreads a thousand queries: no tick has more than twice its share", () => {
    const perTick = new Map<number, number>();
    for (let index = 0; index < 1_000; index += 1) {
      const offset = offsetMs(`jobs\0bull:queue-${index}`, 5_000);
      perTick.set(offset, (perTick.get(offset) ?? 0) + 1);
    }
    expect(perTick.size).toBe(20);
    expect(Math.max(...perTick.values())).toBeLessThanOrEqual(100);
  });
});

describe("dueAfterReadMs", () => {
  const grid = { intervalMs: 5_000, offsetMs: 1_000 };
  it.each([
    ["a first read long before its instant", 1_100, 1_110, 6_000],
    ["a first read just before its instant", 5_990, 5_999, 6_000],
    ["a first read before its instant that ends after it", 5_990, 6_001, 11_000],
    ["a first read on its instant that takes no time", 6_000, 6_000, 11_000],
    ["a read on time", 6_000, 6_020, 11_000],
    ["a read a little late", 6_249, 6_300, 11_000],
    ["a slow read that ends before the next instant", 6_000, 10_999, 11_000],
    ["a slow read that ends at the next instant", 6_000, 11_000, 11_000],
    ["a slow read that overran two instants", 6_000, 16_001, 21_000],
  ])("after %s", (_name, startedMs, endedMs, expected) => {
    expect(dueAfterReadMs({ startedMs, endedMs }, grid)).toBe(expected);
  });

  it("lies on the grid, after the start, not before the end, and within an interval of it", () => {
    fc.assert(
      fc.property(
        intervals,
        fc.string(),
        fc.nat(1e9),
        fc.nat(200_000),
        (intervalMs, name, at, took) => {
          const grid = { intervalMs, offsetMs: offsetMs(name, intervalMs) };
          const dueMs = dueAfterReadMs({ startedMs: at, endedMs: at + took }, grid);
          expect((dueMs - grid.offsetMs) % intervalMs).toBe(0);
          expect(dueMs).toBeGreaterThanOrEqual(at + took);
          expect(dueMs).toBeGreaterThan(at);
          expect(dueMs).toBeLessThanOrEqual(at + took + intervalMs);
        },
      ),
    );
  });
});

describe("dueAfterFailureMs", () => {
  const longest = () => 1 - Number.EPSILON;
  interface Case {
    readonly code: SourceErrorCode;
    readonly intervalMs: number;
    /** Longest delay after the first, second, … failure, milliseconds. */
    readonly delaysMs: readonly number[];
  }
  const cases: readonly Case[] = [
    { code: "Unavailable", intervalMs: 5_000, delaysMs: [1, 2, 4, 8, 16, 30, 30] },
    { code: "DeadlineExceeded", intervalMs: 60_000, delaysMs: [1, 2, 4, 8, 16, 32, 60, 60] },
    { code: "Internal", intervalMs: 1_000, delaysMs: [1, 2, 4, 8, 16, 30] },
    { code: "ResourceExhausted", intervalMs: 5_000, delaysMs: [5, 10, 20, 30, 30] },
    { code: "ResourceExhausted", intervalMs: 60_000, delaysMs: [60, 60] },
    { code: "NotFound", intervalMs: 5_000, delaysMs: [5, 10, 20, 30, 30] },
    { code: "Unauthenticated", intervalMs: 1_000, delaysMs: [5, 10, 20, 30, 30] },
    { code: "PermissionDenied", intervalMs: 120_000, delaysMs: [120, 120] },
  ].map(({ delaysMs, ...rest }) => ({
    ...(rest as Pick<Case, "code" | "intervalMs">),
    delaysMs: delaysMs.map((seconds) => seconds * 1_000),
  }));

  it.each(cases)(
    "after $code at an interval of $intervalMs ms",
    ({ code, intervalMs, delaysMs }) => {
      const slowest = delaysMs.map((_, index) =>
        dueAfterFailureMs({ endedMs: 0, code, failures: index + 1 }, intervalMs, longest),
      );
      const quickest = delaysMs.map((_, index) =>
        dueAfterFailureMs({ endedMs: 0, code, failures: index + 1 }, intervalMs, () => 0),
      );
      expect(slowest).toEqual(delaysMs);
      expect(quickest).toEqual(delaysMs.map((delayMs) => roundUpToTick(delayMs / 2)));
    },
  );

  it("is after the end, on a tick, and never later than half a minute or the interval", () => {
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(
        fc.constantFrom(...codes),
        fc.integer({ min: 1, max: 100_000 }),
        intervals,
        fc.nat(1e9),
        random,
        (code, failures, intervalMs, endedMs, at) => {
          const dueMs = dueAfterFailureMs({ endedMs, code, failures }, intervalMs, () => at);
          const capMs = Math.max(30_000, intervalMs);
          expect(dueMs % tickMs).toBe(0);
          expect(dueMs).toBeGreaterThan(endedMs);
          expect(dueMs).toBeLessThanOrEqual(roundUpToTick(endedMs + capMs));
        },
      ),
    );
  });
});
