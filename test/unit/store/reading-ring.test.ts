import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Reading } from "../../../src/model/reading.ts";
import { ReadingRing } from "../../../src/store/reading-ring.ts";

function reading(monotonicMs: number): Reading {
  return { timestampMs: 1_000_000 + monotonicMs, monotonicMs, fields: { waiting: monotonicMs } };
}

describe("ReadingRing", () => {
  it("is empty at first", () => {
    const ring = new ReadingRing(3);
    expect({ size: ring.size, newest: ring.newest, all: ring.toArray() }).toEqual({
      size: 0,
      newest: undefined,
      all: [],
    });
  });

  it.each([0, -1, 1.5, Number.NaN, Infinity])("has no capacity of %s", (capacity) => {
    expect(() => new ReadingRing(capacity)).toThrow(
      `ring capacity must be a whole number of at least 1, found ${capacity}`,
    );
  });

  it("replaces the newest alone", () => {
    const ring = new ReadingRing(2);
    ring.replaceNewest(reading(1));
    ring.push(reading(2));
    ring.push(reading(3));
    ring.replaceNewest(reading(4));
    expect(ring.toArray()).toEqual([reading(2), reading(4)]);
  });

  it("holds the newest readings, oldest first, whatever came before", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 60 }), (size, n) => {
        const ring = new ReadingRing(size);
        const pushed = Array.from({ length: n }, (_, index) => reading(index));
        for (const item of pushed) ring.push(item);
        expect(ring.toArray()).toEqual(pushed.slice(-size));
        expect(ring.size).toBe(Math.min(n, size));
        expect(ring.newest).toEqual(pushed.at(-1));
      }),
    );
  });

  it("keeps the newest readings that fit when it is resized", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 0, max: 20 }),
        (before, after, n) => {
          const ring = new ReadingRing(before);
          for (let index = 0; index < n; index += 1) ring.push(reading(index));
          const resized = ring.resized(after);
          expect(resized.capacity).toBe(after);
          expect(resized.toArray()).toEqual(ring.toArray().slice(-after));
        },
      ),
    );
  });
});
