import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Reading } from "../../../src/model/reading.ts";
import { SourceError } from "../../../src/model/source-error.ts";
import { maxFieldsPerReading } from "../../../src/store/accept-reading.ts";
import { ReadingStore, ringCapacity } from "../../../src/store/reading-store.ts";

const down = new SourceError("Unavailable", "connection refused");

function reading(monotonicMs: number, fields: Record<string, number> = { waiting: 1 }): Reading {
  return { timestampMs: 5_000_000 + monotonicMs, monotonicMs, fields };
}

function storeOf(queryKey = "jobs"): ReadingStore {
  const store = new ReadingStore();
  store.add(queryKey, 5_000);
  return store;
}

describe("freshness", () => {
  const maxAgeMs = 18_000;
  const failure = { error: down, monotonicMs: 2_000 };
  interface Case {
    readonly rule: string;
    readonly reading?: number;
    readonly failedAt?: number;
    readonly nowMs: number;
    readonly expected: unknown;
  }
  const cases: readonly Case[] = [
    { rule: "is missing before any try has ended", nowMs: 5_000, expected: { status: "missing" } },
    {
      rule: "is failed when the only try failed",
      failedAt: 2_000,
      nowMs: 5_000,
      expected: { status: "failed", failure },
    },
    {
      rule: "is fresh at the instant of the reading",
      reading: 1_000,
      nowMs: 1_000,
      expected: { status: "fresh", reading: reading(1_000), ageMs: 0 },
    },
    {
      rule: "is fresh at exactly the age limit",
      reading: 1_000,
      nowMs: 19_000,
      expected: { status: "fresh", reading: reading(1_000), ageMs: maxAgeMs },
    },
    {
      rule: "is stale just beyond the age limit",
      reading: 1_000,
      nowMs: 19_000.001,
      expected: { status: "stale", reading: reading(1_000), ageMs: 18_000.001 },
    },
    {
      rule: "is fresh with the failure when a later try failed within the limit",
      reading: 1_000,
      failedAt: 2_000,
      nowMs: 19_000,
      expected: { status: "fresh", reading: reading(1_000), ageMs: maxAgeMs, lastFailure: failure },
    },
    {
      rule: "is failed with the reading when a later try failed and the reading is too old",
      reading: 1_000,
      failedAt: 2_000,
      nowMs: 19_001,
      expected: { status: "failed", failure, reading: reading(1_000) },
    },
    {
      rule: "is stale, never fresh, when the instant asked for is no number",
      reading: 1_000,
      nowMs: Number.NaN,
      expected: { status: "stale", reading: reading(1_000), ageMs: Number.NaN },
    },
  ];

  it.each(cases)("$rule", ({ reading: readMs, failedAt, nowMs, expected }) => {
    const store = storeOf();
    if (readMs !== undefined) {
      store.record("jobs", { status: "read", reading: reading(readMs) }, readMs);
    }
    if (failedAt !== undefined) store.record("jobs", { status: "failed", error: down }, failedAt);
    expect(store.freshness("jobs", maxAgeMs, nowMs)).toEqual(expected);
  });

  it("is missing for a query that nobody added", () => {
    expect(storeOf().freshness("other", maxAgeMs, 0)).toEqual({ status: "missing" });
  });

  it("takes each reader's own limit", () => {
    const store = storeOf();
    store.record("jobs", { status: "read", reading: reading(0) }, 0);
    expect([0, 999, 1_000].map((limit) => store.freshness("jobs", limit, 1_000).status)).toEqual([
      "stale",
      "stale",
      "fresh",
    ]);
  });

  it("forgets the failure with the next reading", () => {
    const store = storeOf();
    store.record("jobs", { status: "failed", error: down }, 1_000);
    store.record("jobs", { status: "read", reading: reading(2_000) }, 2_000);
    expect(store.freshness("jobs", 1_000, 2_000)).toEqual({
      status: "fresh",
      reading: reading(2_000),
      ageMs: 0,
    });
  });
});

describe("the door", () => {
  const hostile: readonly (readonly [string, Reading, string])[] = [
    ["NaN", reading(1, { a: Number.NaN }), 'query "jobs": field "a" is not finite'],
    ["infinity", reading(1, { a: 1, b: Infinity }), 'query "jobs": field "b" is not finite'],
    [
      "text in place of a number",
      reading(1, { a: "7" as unknown as number }),
      'query "jobs": field "a" is not finite',
    ],
    [
      "null in place of a number",
      reading(1, { a: null as unknown as number }),
      'query "jobs": field "a" is not finite',
    ],
    [
      "no instant",
      { ...reading(1), monotonicMs: Number.NaN },
      'query "jobs": the reading carries no valid instant',
    ],
    [
      "no timestamp",
      { ...reading(1), timestampMs: Infinity },
      'query "jobs": the reading carries no valid instant',
    ],
    [
      "more fields than fit",
      reading(
        1,
        Object.fromEntries(Array.from({ length: maxFieldsPerReading + 1 }, (_, i) => [`f${i}`, i])),
      ),
      `query "jobs": the reading has ${maxFieldsPerReading + 1} fields, at most ${maxFieldsPerReading} fit`,
    ],
  ];

  it.each(hostile)("turns a reading with %s into DataLoss, whole", (_name, bad, message) => {
    const store = storeOf();
    const error = new SourceError("DataLoss", message);
    expect(store.record("jobs", { status: "read", reading: bad }, 10)).toEqual({
      status: "failed",
      error,
    });
    expect(store.freshness("jobs", 60_000, 10)).toEqual({
      status: "failed",
      failure: { error, monotonicMs: 10 },
    });
    expect(store.history("jobs")).toEqual([]);
  });

  it("keeps the earlier reading when a later one is not whole", () => {
    const store = storeOf();
    store.record("jobs", { status: "read", reading: reading(1) }, 1);
    store.record("jobs", { status: "read", reading: reading(2, { a: Number.NaN }) }, 2);
    expect(store.freshness("jobs", 100, 2)).toMatchObject({ status: "fresh", reading: reading(1) });
  });

  it("keeps an empty reading as it is: absent fields stay absent", () => {
    const store = storeOf();
    store.record("jobs", { status: "read", reading: reading(1, {}) }, 1);
    expect(store.history("jobs")).toEqual([reading(1, {})]);
  });

  it("holds a copy that nobody can change", () => {
    const store = storeOf();
    const fields = { waiting: 3 };
    store.record("jobs", { status: "read", reading: reading(1, fields) }, 1);
    fields.waiting = 4;
    const held = store.newest("jobs");
    expect(held).toEqual(reading(1, { waiting: 3 }));
    expect(Object.isFrozen(held?.fields)).toBe(true);
  });

  it("counts a reading of the future from its arrival, so that it grows old like any other", () => {
    const store = storeOf();
    store.record("jobs", { status: "read", reading: reading(99_999_999) }, 1_000);
    expect(store.freshness("jobs", 5_000, 6_000).status).toBe("fresh");
    expect(store.freshness("jobs", 5_000, 6_001).status).toBe("stale");
  });
});

describe("record", () => {
  it("refuses a reading older than one already held, and changes nothing", () => {
    const store = storeOf();
    store.record("jobs", { status: "read", reading: reading(2_000) }, 2_000);
    store.record("jobs", { status: "failed", error: down }, 3_000);
    const before = store.freshness("jobs", 500, 4_000);
    expect(store.record("jobs", { status: "read", reading: reading(1_999) }, 4_000)).toEqual({
      status: "refused",
    });
    expect(store.freshness("jobs", 500, 4_000)).toEqual(before);
    expect(store.history("jobs")).toEqual([reading(2_000)]);
  });

  it("holds an instant once: the later report of it wins", () => {
    const store = storeOf();
    store.record("jobs", { status: "read", reading: reading(1, { a: 1 }) }, 5);
    store.record("jobs", { status: "read", reading: reading(1, { a: 2 }) }, 6);
    expect(store.history("jobs")).toEqual([reading(1, { a: 2 })]);
  });

  it("ignores a query that nobody added, and one that was forgotten", () => {
    const store = storeOf();
    const outcome = { status: "read", reading: reading(1) } as const;
    expect(store.record("other", outcome, 1)).toEqual({ status: "unknown" });
    store.forget("jobs");
    expect(store.record("jobs", outcome, 1)).toEqual({ status: "unknown" });
    expect(store.size()).toEqual({ queries: 0, readings: 0, capacity: 0 });
  });

  it("knows whether a try has ended, well or not", () => {
    const store = storeOf("a");
    store.add("b", 5_000);
    store.add("c", 5_000);
    store.record("a", { status: "read", reading: reading(1) }, 1);
    store.record("b", { status: "failed", error: down }, 1);
    expect(["a", "b", "c", "d"].map((key) => store.hasOutcome(key))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});

describe("add", () => {
  it.each([
    [1_000, 120],
    [2_500, 120],
    [5_000, 61],
    [15_000, 21],
    [60_000, 6],
    [300_000, 3],
    [3_600_000, 3],
  ])("an interval of %d ms keeps %d readings", (intervalMs, capacity) => {
    expect(ringCapacity(intervalMs)).toBe(capacity);
  });

  it("keeps readings and failure through a change of the interval", () => {
    const store = storeOf();
    for (let at = 1; at <= 61; at += 1) {
      store.record("jobs", { status: "read", reading: reading(at) }, at);
    }
    store.record("jobs", { status: "failed", error: down }, 62);
    store.add("jobs", 60_000);
    expect(store.history("jobs").map(({ monotonicMs }) => monotonicMs)).toEqual([
      56, 57, 58, 59, 60, 61,
    ]);
    expect(store.freshness("jobs", 1_000, 70)).toMatchObject({
      status: "fresh",
      lastFailure: { error: down, monotonicMs: 62 },
    });
  });
});

describe("over random histories", () => {
  const step = fc.record({
    waitMs: fc.integer({ min: 0, max: 30_000 }),
    kind: fc.constantFrom("read", "late", "future", "failed", "nan"),
    value: fc.integer({ min: 0, max: 1_000 }),
    lagMs: fc.integer({ min: 0, max: 60_000 }),
  });

  function play(steps: readonly { waitMs: number; kind: string; value: number; lagMs: number }[]) {
    const store = storeOf();
    let nowMs = 0;
    const seen: {
      readonly nowMs: number;
      readonly freshness: ReturnType<typeof store.freshness>;
    }[] = [];
    for (const { waitMs, kind, value, lagMs } of steps) {
      nowMs += waitMs;
      const shiftMs = kind === "late" ? -lagMs : kind === "future" ? lagMs : 0;
      const fields = { waiting: kind === "nan" ? Number.NaN : value };
      store.record(
        "jobs",
        kind === "failed"
          ? { status: "failed", error: down }
          : { status: "read", reading: reading(nowMs + shiftMs, fields) },
        nowMs,
      );
      seen.push({ nowMs, freshness: store.freshness("jobs", 18_000, nowMs) });
    }
    return { store, seen, nowMs };
  }

  it("serves only what was read, whole, and never older than the limit", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const values = new Set(steps.map(({ value }) => value));
        for (const { nowMs, freshness } of play(steps).seen) {
          if (freshness.status !== "fresh") continue;
          expect(Object.keys(freshness.reading.fields)).toEqual(["waiting"]);
          expect(values.has(freshness.reading.fields["waiting"] ?? Number.NaN)).toBe(true);
          expect(freshness.ageMs).toBe(nowMs - freshness.reading.monotonicMs);
          expect(freshness.ageMs).toBeLessThanOrEqual(18_000);
          expect(freshness.ageMs).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });

  it("never lets a reading that was too old become fresh again", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        let newestMs = -Infinity;
        const tooOld = new Set<number>();
        for (const { freshness } of play(steps).seen) {
          if (freshness.status === "missing") continue;
          const instantMs = freshness.reading?.monotonicMs;
          if (instantMs === undefined) continue;
          expect(instantMs).toBeGreaterThanOrEqual(newestMs);
          newestMs = instantMs;
          if (freshness.status === "fresh") expect(tooOld.has(instantMs)).toBe(false);
          else tooOld.add(instantMs);
        }
      }),
    );
  });

  it("holds instants in order, each once, in fixed memory", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { store } = play(steps);
        const instants = store.history("jobs").map(({ monotonicMs }) => monotonicMs);
        expect(instants).toEqual([...new Set(instants)].sort((a, b) => a - b));
        expect(store.size()).toEqual({ queries: 1, readings: instants.length, capacity: 61 });
        expect(instants.length).toBeLessThanOrEqual(61);
      }),
    );
  });
});
