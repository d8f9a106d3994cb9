import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Reading } from "../../../src/model/reading.ts";
import {
  counterRatePerSecond,
  defaultRateWindow,
  withCounterRates,
} from "../../../src/sources/counters.ts";

/** Readings of one counter: seconds and value; undefined is a reading without it. */
function readings(...points: readonly (readonly [number, number | undefined])[]): Reading[] {
  return points.map(([seconds, value]) => ({
    timestampMs: 0,
    monotonicMs: seconds * 1_000,
    fields: value === undefined ? {} : { arrivals: value },
  }));
}

function rate(...points: readonly (readonly [number, number | undefined])[]): number | undefined {
  const all = readings(...points);
  return counterRatePerSecond("arrivals", all.at(-1)!, all.slice(0, -1));
}

describe("counterRatePerSecond", () => {
  test.each<[string, (readonly [number, number | undefined])[], number | undefined]>([
    ["one reading", [[0, 5]], undefined],
    [
      "less than half a minute",
      [
        [0, 0],
        [29, 29],
      ],
      undefined,
    ],
    [
      "half a minute",
      [
        [0, 0],
        [30, 60],
      ],
      2,
    ],
    [
      "no increase",
      [
        [0, 7],
        [60, 7],
      ],
      0,
    ],
    [
      "the reading nearest to a minute of age",
      [
        [0, 0],
        [40, 400],
        [60, 430],
        [100, 460],
      ],
      1,
    ],
    [
      "an interval longer than a minute",
      [
        [0, 0],
        [300, 900],
      ],
      3,
    ],
    [
      "a gap of more than ten minutes",
      [
        [0, 0],
        [601, 900],
      ],
      undefined,
    ],
    [
      "a reset, seen now",
      [
        [0, 100],
        [30, 130],
        [60, 3],
      ],
      undefined,
    ],
    [
      "half a minute after a reset",
      [
        [0, 100],
        [30, 3],
        [60, 33],
      ],
      1,
    ],
    [
      "a reset within the last half minute",
      [
        [0, 100],
        [30, 130],
        [50, 2],
        [60, 12],
      ],
      undefined,
    ],
    [
      "a reading without the counter in between",
      [
        [0, 0],
        [30, undefined],
        [60, 60],
      ],
      undefined,
    ],
    [
      "half a minute after such a reading",
      [
        [0, 0],
        [30, undefined],
        [40, 40],
        [70, 100],
      ],
      2,
    ],
    [
      "no counter now",
      [
        [0, 0],
        [60, undefined],
      ],
      undefined,
    ],
  ])("%s", (_what, points, expected) => {
    expect(rate(...points)).toBe(expected);
  });

  const steps = fc.array(
    fc.tuple(fc.integer({ min: 1, max: 120 }), fc.option(fc.integer({ min: -50, max: 500 }))),
    { minLength: 1, maxLength: 40 },
  );
  /** Seconds and increments to readings; a counter never goes below 0. */
  const series = steps.map((list) => {
    let seconds = 0;
    let value = 0;
    return readings(
      ...list.map(([wait, step]): [number, number | undefined] => {
        seconds += wait;
        value = Math.max(0, value + (step ?? 0));
        return [seconds, step === null ? undefined : value];
      }),
    );
  });

  test("is absent or finite and not negative, whatever resets and gaps there are", () => {
    fc.assert(
      fc.property(series, (all) => {
        const perSecond = counterRatePerSecond("arrivals", all.at(-1)!, all.slice(0, -1));
        if (perSecond === undefined) return;
        expect(Number.isFinite(perSecond)).toBe(true);
        expect(perSecond).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test("lies between the slowest and the fastest step of a counter that never falls", () => {
    const rising = fc.array(
      fc.tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 0, max: 500 })),
      { minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(rising, (list) => {
        let seconds = 0;
        let value = 0;
        const points = list.map(([wait, step]): [number, number] => [
          (seconds += wait),
          (value += step),
        ]);
        const perSecond = rate([0, 0], ...points);
        if (perSecond === undefined) return;
        const rates = list.map(([wait, step]) => step / wait);
        expect(perSecond).toBeGreaterThanOrEqual(Math.min(...rates) - 1e-9);
        expect(perSecond).toBeLessThanOrEqual(Math.max(...rates) + 1e-9);
      }),
    );
  });

  test("does not depend on what lies before the reset", () => {
    fc.assert(
      fc.property(series, fc.integer({ min: 501, max: 1_000_000 }), (all, before) => {
        const shifted = all.map((reading) => ({
          ...reading,
          monotonicMs: reading.monotonicMs + 60_000,
        }));
        const last = shifted.at(-1)!;
        const line = shifted.slice(0, -1);
        const [first] = shifted;
        if (first?.fields["arrivals"] === undefined || first.fields["arrivals"] >= before) return;
        const old = readings([30, before], [59, before + 1]);
        expect(counterRatePerSecond("arrivals", last, [...old, ...line])).toBe(
          counterRatePerSecond("arrivals", last, line),
        );
      }),
    );
  });

  test("never looks beyond its window", () => {
    fc.assert(
      fc.property(series, (all) => {
        const last = all.at(-1)!;
        const { maxMs } = defaultRateWindow;
        const near = all
          .slice(0, -1)
          .filter((reading) => last.monotonicMs - reading.monotonicMs <= maxMs);
        expect(counterRatePerSecond("arrivals", last, all.slice(0, -1))).toBe(
          counterRatePerSecond("arrivals", last, near),
        );
      }),
    );
  });
});

test("adds the rates that can be told, and leaves reading and history as they are", () => {
  const [first, last] = readings([0, 0], [60, 120]);
  const before = structuredClone([first, last]);
  const rates = [
    { counter: "arrivals", rate: "arrivalRate" },
    { counter: "completions", rate: "serviceRate" },
  ];
  expect(withCounterRates(last!, [first!], rates)).toEqual({
    ...last,
    fields: { arrivals: 120, arrivalRate: 2 },
  });
  expect([first, last]).toEqual(before);
});
