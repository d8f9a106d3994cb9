import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countsFromReply } from "../../../../src/sources/bullmq/counts.ts";
import { bullmqKeyNames, bullmqScriptCall } from "../../../../src/sources/bullmq/read-script.ts";
import { bullmqFields } from "../../../../src/sources/bullmq/source-type.ts";

const nowMs = 1_800_000_000_000;
const context = { nowMs, keyBase: "bull:orders:" };

/** Parts of a reply by name, in the script's order. */
const idle = {
  exists: 1,
  wait: 0,
  paused: 0,
  waitMarker: 0,
  pausedMarker: 0,
  active: 0,
  prioritized: 0,
  delayed: 0,
  due: 0,
  waitingChildren: 0,
  isPaused: null,
  concurrency: null,
  id: null,
  headTimestamp: null,
  headScore: null,
  keyBase: "bull:orders:",
} as const satisfies Record<string, number | string | null>;

type Parts = Partial<Record<keyof typeof idle, number | string | null>>;

const reply = (parts: Parts = {}) => Object.values({ ...idle, ...parts });
const fieldsOf = (parts: Parts) => {
  const counts = countsFromReply(reply(parts), context);
  return counts.status === "counted" ? counts.fields : counts;
};
const zero = {
  waiting: 0,
  prioritized: 0,
  delayedDue: 0,
  active: 0,
  takeable: 0,
  backlog: 0,
  paused: 0,
};

test.each<[string, Parts, object]>([
  ["a queue that was only opened", {}, { ...zero, arrivals: 0, completions: 0 }],
  ["a drained queue", { id: "7" }, { ...zero, arrivals: 7, completions: 7 }],
  [
    "jobs in every state",
    { wait: 3, active: 2, prioritized: 4, delayed: 6, due: 1, waitingChildren: 5, id: "100" },
    {
      ...zero,
      ...{ waiting: 3, active: 2, prioritized: 4, delayedDue: 1, takeable: 8, backlog: 10 },
      ...{ arrivals: 100, completions: 80 },
    },
  ],
  [
    "a delayed job that is not due, behind a marker of BullMQ 2 to 4",
    { wait: 1, waitMarker: 1, delayed: 1, id: "1" },
    { ...zero, arrivals: 1, completions: 0 },
  ],
  [
    "a marker in the paused list",
    { paused: 3, pausedMarker: 1, isPaused: "1", id: "2" },
    { ...zero, waiting: 2, paused: 2, arrivals: 2, completions: 0 },
  ],
  [
    "paused, in the newer form",
    { wait: 2, prioritized: 1, delayed: 1, due: 1, active: 3, isPaused: "1", id: "7" },
    {
      ...zero,
      ...{ waiting: 2, prioritized: 1, delayedDue: 1, active: 3, backlog: 3, paused: 4 },
      ...{ arrivals: 7, completions: 0 },
    },
  ],
  [
    "both lists, as a queue has it that both versions write to",
    { wait: 1, paused: 2, isPaused: "1", id: "3" },
    { ...zero, waiting: 3, paused: 3, arrivals: 3, completions: 0 },
  ],
  [
    "resumed, with jobs left in the older list, where no worker looks",
    { wait: 1, paused: 2, id: "3" },
    { ...zero, waiting: 3, takeable: 1, backlog: 1, paused: 2, arrivals: 3, completions: 0 },
  ],
  [
    "global concurrency with room for one",
    { wait: 5, active: 2, concurrency: "3", id: "7" },
    { ...zero, waiting: 5, active: 2, takeable: 1, backlog: 3, arrivals: 7, completions: 0 },
  ],
  [
    "more active than the global concurrency allows, as after lowering it",
    { wait: 5, active: 4, concurrency: "3", id: "9" },
    { ...zero, waiting: 5, active: 4, takeable: 0, backlog: 4, arrivals: 9, completions: 0 },
  ],
  [
    "fewer arrivals than jobs, which cannot be: no completions",
    { wait: 5, id: "3" },
    { ...zero, waiting: 5, takeable: 5, backlog: 5, arrivals: 3 },
  ],
  [
    "jobs and no counter: neither total",
    { wait: 5 },
    { ...zero, waiting: 5, takeable: 5, backlog: 5 },
  ],
  [
    "a waiting head",
    { wait: 1, id: "1", headTimestamp: String(nowMs - 1_500) },
    {
      ...zero,
      ...{ waiting: 1, takeable: 1, backlog: 1, arrivals: 1, completions: 0 },
      headOfLineAgeSeconds: 1.5,
    },
  ],
  [
    "a head from a clock ahead of ours",
    { wait: 1, id: "1", headTimestamp: String(nowMs + 1_500) },
    {
      ...zero,
      ...{ waiting: 1, takeable: 1, backlog: 1, arrivals: 1, completions: 0 },
      headOfLineAgeSeconds: 0,
    },
  ],
  [
    "a due job and no other head: since it was due",
    { delayed: 1, due: 1, id: "1", headScore: String((nowMs - 2_000) * 4_096 + 17) },
    {
      ...zero,
      ...{ delayedDue: 1, takeable: 1, backlog: 1, arrivals: 1, completions: 0 },
      headOfLineAgeSeconds: 2,
    },
  ],
])("counts %s", (_what, parts, expected) => {
  expect(fieldsOf(parts)).toEqual(expected);
});

test("neither meta nor id is a missing queue, whatever else is there", () => {
  expect(countsFromReply(reply({ exists: 0 }), context)).toEqual({ status: "missing" });
  expect(countsFromReply(reply({ exists: 0, wait: 3 }), context)).toEqual({ status: "missing" });
});

test.each([
  ["no array", "OK", "the reply is not an array"],
  ["an empty array", [], "the reply has 0 parts, not 16"],
  ["a cut array", reply().slice(0, 15), "the reply has 15 parts, not 16"],
  ["a longer array", [...reply(), 0], "the reply has 17 parts, not 16"],
  ["a null count", reply({ wait: null }), "wait is not a count"],
  ["a negative count", reply({ active: -3 }), "active is not a count"],
  ["NaN", reply({ delayed: Number.NaN }), "delayed is not a count"],
  ["a fraction", reply({ waitingChildren: 1.5 }), "waiting-children is not a count"],
  ["text", reply({ prioritized: "3" }), "prioritized is not a count"],
  ["a concurrency of no kind", reply({ concurrency: 3 }), "meta.concurrency is not a text"],
  ["only a marker missing", reply({ waitMarker: 1 }), "wait is shorter than its marker"],
  ["another queue", reply({ keyBase: "bull:other:" }), "the reply is about another queue"],
  ["a failure without a reason", [-1, 3], "the reply is a failure without a reason"],
])("%s is malformed, and no number", (_what, malformed, finding) => {
  expect(countsFromReply(malformed, context)).toEqual({ status: "malformed", finding });
});

describe("a global concurrency, as Lua writes the number that BullMQ takes it for,", () => {
  // BullMQ takes a job while `activeCount >= tonumber(concurrency)` is false.
  test.each([
    ["inf", 5],
    ["-inf", 0],
    ["nan", 5],
    ["-nan", 5],
    ["0", 0],
    ["-0", 0],
    ["-1", 0],
    ["2.5", 1],
    ["1e+20", 5],
    ["1e-05", 0],
  ])("%s with 2 active leaves %d of 5", (concurrency, takeable) => {
    expect(fieldsOf({ wait: 5, active: 2, concurrency, id: "7" })).toEqual({
      ...zero,
      ...{ waiting: 5, active: 2, takeable, backlog: takeable + 2, arrivals: 7, completions: 0 },
    });
  });

  test.each(["nil", "", "many"])("%s is no limit that anyone can keep", (concurrency) => {
    expect(countsFromReply(reply({ wait: 5, concurrency, id: "5" }), context)).toEqual({
      status: "misconfigured",
      finding: "meta.concurrency is not a number",
    });
  });
});

describe("a stored value that says nothing costs only what is made of it:", () => {
  const waiting = { ...zero, waiting: 1, takeable: 1, backlog: 1 };
  const due = { ...zero, delayedDue: 1, takeable: 1, backlog: 1 };

  test.each([
    [`${nowMs - 1_500}.25`, 1.499_75],
    [String(nowMs - 1_500), 1.5],
    ["1.7999999985e+12", 1.5],
    ["1e+21", 0],
    ["0", nowMs / 1_000],
  ])("the timestamp %s is an age of %d s", (headTimestamp, headOfLineAgeSeconds) => {
    const fields = fieldsOf({ wait: 1, id: "1", headTimestamp });
    expect(fields).toEqual({ ...waiting, arrivals: 1, completions: 0, headOfLineAgeSeconds });
  });

  test.each(["", " ", "yesterday", "-5", "NaN", "Infinity", "1e999", "0x10", "[object Object]"])(
    "the timestamp '%s' makes no age",
    (headTimestamp) => {
      const fields = fieldsOf({ wait: 1, id: "1", headTimestamp });
      expect(fields).toEqual({ ...waiting, arrivals: 1, completions: 0 });
    },
  );

  test.each([
    [String((nowMs - 2_000) * 4_096 + 17), 2],
    ["7.3727999918080172e+15", 2],
  ])("the score %s is an age of %d s", (headScore, headOfLineAgeSeconds) => {
    const fields = fieldsOf({ delayed: 1, due: 1, id: "1", headScore });
    expect(fields).toEqual({ ...due, arrivals: 1, completions: 0, headOfLineAgeSeconds });
  });

  test.each(["-inf", "inf", "nan", "-4096"])("the score %s makes no age", (headScore) => {
    const fields = fieldsOf({ delayed: 1, due: 1, id: "1", headScore });
    expect(fields).toEqual({ ...due, arrivals: 1, completions: 0 });
  });

  test.each(["many", "", "-3", "1.5", "1e3", "9007199254740992", "9223372036854775807"])(
    "the counter '%s' makes no total",
    (id) => {
      expect(fieldsOf({ wait: 1, id })).toEqual(waiting);
      expect(fieldsOf({ id })).toEqual(zero);
    },
  );
});

test("a failure names the key", () => {
  expect(countsFromReply([-1, 1, "WRONGTYPE x"], context)).toEqual({
    status: "failed",
    key: "wait",
    message: "WRONGTYPE x",
  });
  expect(countsFromReply([-1, 0, "WRONGTYPE x"], context)).toMatchObject({ key: "job" });
});

const count = fc.integer({ min: 0, max: 1_000_000 });

test("whatever comes back, only finite, non-negative values of known fields come out", () => {
  const part = fc.oneof(count, fc.string(), fc.constant(null), fc.double(), fc.constant("12"));
  const anything = fc.oneof(
    fc.anything(),
    fc.array(part, { minLength: 15, maxLength: 17 }),
    fc
      .array(fc.oneof(count, fc.constant(null)), { minLength: 15, maxLength: 15 })
      .map((parts) => [...parts, context.keyBase]),
  );
  fc.assert(
    fc.property(anything, (value) => {
      const counts = countsFromReply(value, context);
      if (counts.status !== "counted") return;
      for (const [field, number] of Object.entries(counts.fields)) {
        expect(bullmqFields).toContain(field);
        expect(Number.isFinite(number) && number >= 0).toBe(true);
      }
    }),
  );
});

describe("for every consistent reply", () => {
  const replies = fc.record({
    wait: count,
    paused: count,
    active: count,
    prioritized: count,
    delayed: count,
    due: count,
    waitingChildren: count,
    isPaused: fc.constantFrom(null, "1"),
    concurrency: fc.option(count.map(String)),
    id: fc.option(count.map(String)),
  });

  test("takeable fits in what waits, and backlog is takeable and active", () => {
    fc.assert(
      fc.property(replies, (parts) => {
        const fields = fieldsOf(parts) as Record<string, number>;
        const waits = fields["waiting"]! + fields["prioritized"]! + fields["delayedDue"]!;
        expect(fields["takeable"]).toBeLessThanOrEqual(waits);
        expect(fields["backlog"]).toBe(fields["takeable"]! + fields["active"]!);
        if (parts.isPaused !== null) expect(fields["takeable"]).toBe(0);
      }),
    );
  });

  test("completions and everything held make up the arrivals", () => {
    fc.assert(
      fc.property(replies, (parts) => {
        const { arrivals, completions } = fieldsOf(parts) as Record<string, number>;
        if (completions === undefined) return;
        const { wait, paused, active, prioritized, delayed, waitingChildren } = parts;
        const held = wait + paused + active + prioritized + delayed + waitingChildren;
        expect(completions + held).toBe(arrivals);
      }),
    );
  });
});

test("asks for one queue by its keys, and for due jobs by a score that keeps every digit", () => {
  const call = bullmqScriptCall({ prefix: "{bull}", queue: "orders" }, 2_199_023_255_551.9);
  expect(call.keys).toEqual(bullmqKeyNames.map((name) => `{bull}:orders:${name}`));
  // 2^53 - 1 is the last: (now + 1) * 4096 - 1 with now = 2^41 - 1, in September 2039.
  expect(call.args.map(String)).toEqual(["9007199254740991", "{bull}:orders:"]);
});
