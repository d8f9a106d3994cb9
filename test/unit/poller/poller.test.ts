import { afterEach, describe, expect, it } from "vitest";
import type { DesiredQuery } from "../../../src/poller/desired-connection.ts";
import type { SourceErrorCode } from "../../../src/model/source-error.ts";
import type { FetchOutcome } from "../../../src/sources/source.ts";
import { Poller } from "../../../src/poller/poller.ts";
import { answering, FakeSource } from "../../fakes/fake-source.ts";
import {
  desiredConnection,
  desiredQuery,
  failed,
  pollingHouse,
  queryOffsetMs,
  read,
} from "./polling.ts";

const started: {
  readonly poller: Poller;
  readonly clock: { advance(ms: number): Promise<void> };
}[] = [];

/** A poller that runs over a fake source, and is stopped after the test. */
function startPoller(keys: readonly string[], source = new FakeSource(), random = () => 0.5) {
  const house = pollingHouse();
  const connection = desiredConnection("jobs", keys, source);
  for (const { queryKey, intervalMs } of connection.queries) house.store.add(queryKey, intervalMs);
  const poller = new Poller(connection, source, { ...house.dependencies, random });
  // Later in this turn: a test sets the source up first.
  queueMicrotask(() => poller.start());
  started.push({ poller, clock: house.clock });
  const want = (queries: readonly DesiredQuery[]): void => {
    for (const { queryKey, intervalMs } of queries) house.store.add(queryKey, intervalMs);
    poller.update({ ...connection, queries });
  };
  const status = (key: string, maxAgeMs = 18_000): string =>
    house.store.freshness(`jobs/${key}`, maxAgeMs, house.clock.monotonic()).status;
  return { ...house, source, poller, connection, want, status };
}

afterEach(async () => {
  for (const { poller, clock } of started.splice(0)) {
    const stopped = poller.stop();
    await clock.advance(4_000);
    await stopped;
  }
});

describe("when queries are polled", () => {
  it("polls all at once first, in one call", async () => {
    const { clock, source } = startPoller(["a", "b", "c"]);
    await clock.advance(0);
    expect(source.fetches.map(({ keys }) => keys)).toEqual([["a", "b", "c"]]);
  });

  it("polls each at its own offset from then on, once an interval", async () => {
    const { clock, source } = startPoller(["a", "b"]);
    const at: Record<string, number[]> = { a: [], b: [] };
    source.behaviour = (call) => {
      for (const key of call.keys) {
        at[key]?.push(clock.monotonic());
        call.report(key, read(clock));
      }
      call.finish();
    };
    await clock.advance(26_000);
    for (const key of ["a", "b"]) {
      const offset = queryOffsetMs("jobs", key);
      const first = offset > 0 ? offset : 5_000;
      const grid = [first, first + 5_000, first + 10_000, first + 15_000, first + 20_000];
      expect(at[key]).toEqual([0, ...grid.filter((instant) => instant <= 26_000)]);
    }
  });

  it("reads again before a reading is older than an interval and a timeout, from the first on", async () => {
    const keys = Array.from({ length: 60 }, (_, index) => `queue-${index}`);
    const { clock, source, want, status } = startPoller([]);
    source.behaviour = answering(() => read(clock));
    want(keys.map((key) => desiredQuery("jobs", key, { intervalMs: 30_000, timeoutMs: 1_000 })));
    await clock.advance(0);
    for (let passedMs = 0; passedMs < 120_000; passedMs += 1_000) {
      await clock.advance(1_000);
      expect(new Set(keys.map((key) => status(key, 31_000)))).toEqual(new Set(["fresh"]));
    }
  });

  it("asks for what is due at the same tick in one call", async () => {
    const keys = Array.from({ length: 200 }, (_, index) => `queue-${index}`);
    const { clock, source } = startPoller(keys);
    source.behaviour = answering(() => read(clock));
    await clock.advance(30_000);
    const before = source.fetches.length;
    await clock.advance(10_000);
    const calls = source.fetches.slice(before);
    expect(calls.length).toBeLessThanOrEqual(40);
    expect(calls.reduce((sum, { keys: asked }) => sum + asked.length, 0)).toBe(400);
  });

  it("asks for everything at one instant when the source answers all with one call", async () => {
    const source = new FakeSource();
    const house = pollingHouse();
    source.behaviour = answering(() => read(house.clock));
    const connection = {
      ...desiredConnection("gpus", ["a", "b", "c", "d"], source),
      pacing: "together" as const,
    };
    for (const { queryKey } of connection.queries) house.store.add(queryKey, 5_000);
    const poller = new Poller(connection, source, house.dependencies);
    poller.start();
    started.push({ poller, clock: house.clock });
    await house.clock.advance(20_000);
    expect(source.fetches.length).toBeGreaterThanOrEqual(4);
    expect(new Set(source.fetches.map(({ keys }) => keys.length))).toEqual(new Set([4]));
  });

  it("gives each timeout its own call, so that a short one is not stretched", async () => {
    const { clock, source, want, status } = startPoller([]);
    want([
      desiredQuery("jobs", "quick", { timeoutMs: 1_000 }),
      desiredQuery("jobs", "slow", { timeoutMs: 3_000 }),
    ]);
    await clock.advance(1_000);
    expect(source.fetches.map(({ keys, signal }) => [keys, signal.aborted])).toEqual([
      [["quick"], true],
      [["slow"], false],
    ]);
    expect(status("slow")).toBe("missing");
  });

  it("keeps to the interval for a query that the store does not know", async () => {
    const { clock, source, store } = startPoller(["a"]);
    source.behaviour = answering(() => read(clock));
    store.forget("jobs/a");
    await clock.advance(50_000);
    expect(source.fetches.length).toBeLessThanOrEqual(11);
  });

  it("backs off a query that fails, and leaves its neighbour alone", async () => {
    const { clock, source } = startPoller(["good", "bad"]);
    const badAt: number[] = [];
    let goodReads = 0;
    source.behaviour = (call) => {
      for (const key of call.keys) {
        if (key === "bad") badAt.push(clock.monotonic());
        else goodReads += 1;
        call.report(key, key === "bad" ? failed("NotFound") : read(clock));
      }
      call.finish();
    };
    await clock.advance(120_000);
    // 5, 10, 20, 30, 30 s, of each three quarters: the random source gives 0.5.
    expect(badAt).toEqual([0, 3_750, 11_250, 26_250, 48_750, 71_250, 93_750, 116_250]);
    expect(goodReads).toBeGreaterThanOrEqual(24);
  });

  it("returns to the interval with the first read after failures, and starts its backoff anew", async () => {
    const { clock, source } = startPoller(["a"]);
    source.behaviour = answering(() => failed("Unavailable"));
    await clock.advance(60_000);
    source.behaviour = answering(() => read(clock));
    await clock.advance(30_000);
    const before = source.fetches.length;
    await clock.advance(50_000);
    expect(source.fetches.length - before).toBe(10);
    const failedAt: number[] = [];
    source.behaviour = (call) => {
      failedAt.push(clock.monotonic());
      answering(() => failed("Unavailable"))(call);
    };
    await clock.advance(10_000);
    const [first = Number.NaN, second] = failedAt;
    expect(second).toBe(first + 750);
  });

  it("polls again after an outcome that came later than the call", async () => {
    const { clock, source } = startPoller(["a"]);
    await clock.advance(10);
    source.last.report("a", read(clock));
    source.last.finish();
    await clock.advance(7_500);
    expect(source.fetches.length).toBe(2);
  });

  it("brings all queries back within about a second of the first read after all had failed", async () => {
    const keys = Array.from({ length: 50 }, (_, index) => `queue-${index}`);
    let drawn = 0;
    const random = (): number => (drawn++ % 50) / 50;
    const { clock, source } = startPoller(keys, new FakeSource(), random);
    source.behaviour = answering(() => failed("Unavailable"));
    await clock.advance(600_000);
    const firstReadAt = new Map<string, number>();
    const recoveredMs = clock.monotonic();
    source.behaviour = (call) => {
      for (const key of call.keys) {
        if (!firstReadAt.has(key)) firstReadAt.set(key, clock.monotonic());
      }
      answering(() => read(clock))(call);
    };
    await clock.advance(60_000);
    const instants = keys.map((key) => firstReadAt.get(key) ?? Infinity);
    expect(Math.min(...instants) - recoveredMs).toBeLessThanOrEqual(30_250);
    expect(Math.max(...instants) - Math.min(...instants)).toBeLessThanOrEqual(1_250);
  });

  it("leaves a query alone in its backoff when others are read all along", async () => {
    const { clock, source } = startPoller(["good", "bad"]);
    const badAt: number[] = [];
    source.behaviour = (call) => {
      for (const key of call.keys) {
        if (key === "bad") badAt.push(clock.monotonic());
        call.report(key, key === "bad" ? failed("DeadlineExceeded") : read(clock));
      }
      call.finish();
    };
    await clock.advance(60_000);
    // 1, 2, 4, 8, 16, 30 s, of each three quarters, on the next tick.
    expect(badAt).toEqual([0, 750, 2_250, 5_250, 11_250, 23_250, 45_750]);
  });
});

describe("what a source may do wrong", () => {
  it("stores each outcome as it comes, while a neighbour is still under way", async () => {
    const { clock, source, outcomes, status } = startPoller(["fast", "slow"]);
    await clock.advance(10);
    source.last.report("fast", read(clock));
    expect([status("fast"), status("slow")]).toEqual(["fresh", "missing"]);
    expect(outcomes).toEqual(["jobs/fast"]);
  });

  it("polls the fast one again while the slow one holds its call", async () => {
    const { clock, source } = startPoller(["fast", "slow"]);
    source.behaviour = (call) => call.report("fast", read(clock));
    await clock.advance(20_000);
    const asked = source.fetches.map(({ keys }) => keys);
    expect(asked[0]).toEqual(["fast", "slow"]);
    expect(asked.slice(1).filter((keys) => keys.includes("fast")).length).toBeGreaterThanOrEqual(3);
  });

  it("calls what is not reported by the deadline DeadlineExceeded, whether the source returns or not", async () => {
    const { clock, store, observer } = startPoller(["a"]);
    await clock.advance(2_999);
    expect(store.hasOutcome("jobs/a")).toBe(false);
    await clock.advance(1);
    expect(store.freshness("jobs/a", 18_000, clock.monotonic())).toMatchObject({
      status: "failed",
      failure: {
        monotonicMs: 3_000,
        error: {
          code: "DeadlineExceeded",
          message: 'connection "jobs": queue "a": no answer within 3000 ms',
        },
      },
    });
    expect(observer.polls.map(({ outcome }) => outcome)).toEqual(["DeadlineExceeded"]);
  });

  it("drops a report that comes after the deadline", async () => {
    const { clock, source, observer, status } = startPoller(["a"]);
    await clock.advance(3_000);
    source.last.report("a", read(clock));
    expect(status("a")).toBe("failed");
    expect(observer.told).toEqual(["fetched jobs in 3000", "dropped jobs Late"]);
  });

  it("never reads a query twice at a time: one that a hung call holds waits until that returns", async () => {
    const { clock, source } = startPoller(["a"]);
    await clock.advance(40_000);
    expect(source.fetches.length).toBe(1);
    source.fetches[0]?.finish();
    source.behaviour = answering(() => read(clock));
    await clock.advance(1);
    expect(source.fetches.length).toBe(2);
  });

  it("gives a hung call up a minute after its deadline", async () => {
    const { clock, source, poller, status } = startPoller(["a"]);
    await clock.advance(62_000);
    expect(source.fetches.length).toBe(1);
    expect(poller.counts()).toEqual({ pending: 0, read: 0, failing: 0, hung: 1 });
    source.behaviour = answering(() => read(clock));
    await clock.advance(1_000);
    expect(source.fetches.length).toBe(2);
    expect(status("a")).toBe("fresh");
    expect(poller.counts()).toEqual({ pending: 0, read: 1, failing: 0, hung: 0 });
  });

  it("bounds the calls that hang at a time", async () => {
    const { clock, source } = startPoller(["a"]);
    await clock.advance(24 * 3_600_000);
    expect(source.fetches.length).toBe(64);
  });

  it.each<[string, (source: FakeSource) => void, string]>([
    [
      "rejects",
      (source) => {
        source.behaviour = (call) => call.fail(new Error("secret"));
      },
      "the source failed",
    ],
    [
      "throws",
      (source) => {
        source.fetch = () => {
          throw new Error("secret");
        };
      },
      "the source failed",
    ],
    [
      "rejects with no error at all",
      (source) => {
        source.behaviour = (call) => call.fail(undefined);
      },
      "the source failed",
    ],
    [
      "returns without a word",
      (source) => {
        source.behaviour = (call) => call.finish();
      },
      "the source told no outcome",
    ],
  ])("calls it Internal when the source %s", async (_name, breakIt, finding) => {
    const source = new FakeSource();
    breakIt(source);
    const { clock, store } = startPoller(["a"], source);
    await clock.advance(0);
    expect(store.freshness("jobs/a", 18_000, 0)).toMatchObject({
      status: "failed",
      failure: { error: { code: "Internal", message: `connection "jobs": queue "a": ${finding}` } },
    });
  });

  it("keeps what was reported before the source broke", async () => {
    const { clock, source, status } = startPoller(["a", "b"]);
    source.behaviour = (call) => {
      call.report("a", read(clock));
      call.fail(new Error("broke"));
    };
    await clock.advance(0);
    expect([status("a"), status("b")]).toEqual(["fresh", "failed"]);
  });

  it("takes the first report of a query and drops the second, and one for a query that was not asked", async () => {
    const { clock, source, store, observer } = startPoller(["a", "b"]);
    await clock.advance(0);
    source.last.report("a", read(clock, 1));
    source.last.report("a", read(clock, 2));
    source.last.report("foreign", read(clock, 3));
    expect(store.newest("jobs/a")?.fields).toEqual({ waiting: 1 });
    expect(store.size()).toMatchObject({ queries: 2, readings: 1 });
    expect(observer.told).toEqual(["dropped jobs Duplicate", "dropped jobs Foreign"]);
  });

  it("counts a reading that is not whole as DataLoss and backs off", async () => {
    const { clock, source, observer, outcomes } = startPoller(["a"]);
    source.behaviour = answering(() => read(clock, Number.NaN));
    await clock.advance(1_000);
    expect(observer.polls.map(({ outcome }) => outcome)).toEqual(["DataLoss", "DataLoss"]);
    expect(outcomes).toEqual(["jobs/a", "jobs/a"]);
  });

  it("goes on when whoever is told of outcomes throws", async () => {
    const source = new FakeSource();
    const house = pollingHouse();
    source.behaviour = answering(() => read(house.clock));
    house.store.add("jobs/a", 5_000);
    const poller = new Poller(desiredConnection("jobs", ["a"], source), source, {
      ...house.dependencies,
      onOutcome: () => {
        throw new Error("evaluation broke");
      },
    });
    poller.start();
    started.push({ poller, clock: house.clock });
    await house.clock.advance(20_000);
    expect(source.fetches.length).toBeGreaterThanOrEqual(4);
    expect(house.observer.told).toContain("listener failed jobs evaluation broke");
  });
});

describe("absence", () => {
  const whole = { timestampMs: 1, monotonicMs: 0, fields: { waiting: 1 } };
  const reported = (reading: unknown): FetchOutcome =>
    ({ status: "read", reading }) as unknown as FetchOutcome;
  const cases: readonly (readonly [string, FetchOutcome | undefined, string])[] = [
    ["absent: nothing is reported", undefined, "DeadlineExceeded"],
    ["absent: the thing does not exist", failed("NotFound"), "NotFound"],
    ["wrong: a value is text", reported({ ...whole, fields: { waiting: "7" } }), "DataLoss"],
    ["wrong: a value is null", reported({ ...whole, fields: { waiting: null } }), "DataLoss"],
    ["wrong: a value is NaN", reported({ ...whole, fields: { waiting: Number.NaN } }), "DataLoss"],
    ["wrong: there is no instant", reported({ ...whole, monotonicMs: undefined }), "DataLoss"],
    [
      "huge: a value is beyond what a number holds",
      reported({ ...whole, fields: { waiting: Number("1e400") } }),
      "DataLoss",
    ],
    [
      "huge: a hundred thousand fields",
      reported({
        ...whole,
        fields: Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`f${i}`, i])),
      }),
      "DataLoss",
    ],
    ["hostile: no fields at all", reported({ ...whole, fields: undefined }), "Internal"],
    ["hostile: no reading at all", reported(undefined), "Internal"],
    ["hostile: no outcome at all", null as unknown as FetchOutcome, "Internal"],
  ];

  it.each(cases)("%s: a failure with its reason, never a number", async (_name, outcome, code) => {
    const { clock, source, store, observer } = startPoller(["a"]);
    source.behaviour = (call) => {
      if (outcome !== undefined) call.report("a", outcome);
    };
    await clock.advance(3_000);
    expect(observer.polls[0]).toMatchObject({ outcome: code, error: { code } });
    expect(store.freshness("jobs/a", Infinity, clock.monotonic())).toMatchObject({
      status: "failed",
      failure: { error: { code } },
    });
    expect(store.history("jobs/a")).toEqual([]);
  });
});

describe("derived fields", () => {
  it("are worked out from the readings before, oldest first, and stored with the reading", async () => {
    const source = new FakeSource();
    const histories: number[][] = [];
    source.derive = (reading, history) => {
      histories.push(history.map(({ monotonicMs }) => monotonicMs));
      return { ...reading, fields: { ...reading.fields, seen: history.length } };
    };
    const { clock, store } = startPoller(["a"], source);
    source.behaviour = answering(() => read(clock));
    await clock.advance(16_000);
    expect(store.history("jobs/a").map(({ fields }) => fields["seen"])).toEqual(
      histories.map(({ length }) => length),
    );
    expect(histories[2]).toEqual(
      store
        .history("jobs/a")
        .slice(0, 2)
        .map((r) => r.monotonicMs),
    );
  });

  it("make the poll Internal when they cannot be worked out", async () => {
    const source = new FakeSource();
    source.derive = () => {
      throw new Error("division by zero");
    };
    const { clock, store } = startPoller(["a"], source);
    source.behaviour = answering(() => read(clock));
    await clock.advance(0);
    expect(store.freshness("jobs/a", 1_000, 0)).toMatchObject({
      status: "failed",
      failure: {
        error: {
          code: "Internal",
          message: 'connection "jobs": queue "a": the reading could not be worked out',
        },
      },
    });
  });
});

describe("update", () => {
  it("drops the report of a query that was removed meanwhile", async () => {
    const { clock, source, want, outcomes, observer } = startPoller(["a", "b"]);
    await clock.advance(0);
    want([desiredQuery("jobs", "b")]);
    source.last.report("a", read(clock));
    expect({ outcomes, told: observer.told }).toEqual({ outcomes: [], told: [] });
  });

  it("does not read a query that was removed and added again before its old read ended", async () => {
    const { clock, source, want } = startPoller(["a"]);
    await clock.advance(0);
    want([]);
    want([desiredQuery("jobs", "a")]);
    await clock.advance(100);
    expect(source.fetches.length).toBe(1);
    source.last.finish();
    await clock.advance(0);
    expect(source.fetches.length).toBe(2);
  });

  it("polls at a shorter interval without waiting out the longer one", async () => {
    const { clock, source, want } = startPoller([]);
    source.behaviour = answering(() => read(clock));
    const slow = desiredQuery("jobs", "a", { intervalMs: 600_000 });
    want([slow]);
    await clock.advance(10_000);
    expect(source.fetches.length).toBe(1);
    want([desiredQuery("jobs", "a")]);
    await clock.advance(10_000);
    expect(source.fetches.length).toBeGreaterThanOrEqual(3);
  });
});

describe("update of a query that fails", () => {
  const failing = async (code: SourceErrorCode, asked: Partial<DesiredQuery>) => {
    const house = startPoller([]);
    const { clock, source, want } = house;
    source.behaviour = answering(() => failed(code));
    const query = { ...desiredQuery("jobs", "a", { intervalMs: 600_000 }), ...asked };
    want([query]);
    // Backed off as far as it goes: the next try is more than five minutes away.
    await clock.advance(1_000_000);
    const before = source.fetches.length;
    const askedWithin = async (durationMs: number): Promise<number> => {
      await clock.advance(durationMs);
      return source.fetches.length - before;
    };
    return { ...house, query, askedWithin };
  };

  it.each<[string, SourceErrorCode, Partial<DesiredQuery>, number]>([
    ["another interval, after a transient failure", "Unavailable", { intervalMs: 5_000 }, 1_000],
    ["another interval, after a permanent failure", "NotFound", { intervalMs: 1_000 }, 5_000],
    ["another timeout", "DeadlineExceeded", { timeoutMs: 10_000 }, 1_000],
  ])("tries again soon with %s", async (_name, code, change, withinMs) => {
    const { query, want, askedWithin } = await failing(code, {});
    want([{ ...query, ...change }]);
    expect(await askedWithin(withinMs)).toBe(1);
  });

  it("goes over to its interval once its absence is allowed", async () => {
    const { clock, source, want } = startPoller([]);
    source.behaviour = answering(() => failed("NotFound"));
    want([desiredQuery("jobs", "a")]);
    // Asked at 48.75 s, so not again before 71.25 s.
    await clock.advance(50_000);
    const before = source.fetches.length;
    want([{ ...desiredQuery("jobs", "a"), allowsMissing: true }]);
    await clock.advance(20_000);
    expect(source.fetches.length - before).toBe(4);
  });

  it("keeps its backoff when nothing of the query changed", async () => {
    const { query, want, askedWithin } = await failing("Unavailable", {});
    want([{ ...query }, desiredQuery("jobs", "b")]);
    expect(await askedWithin(0)).toBe(1);
    expect(await askedWithin(0)).toBe(1);
  });

  it("starts its backoff no later than it would have been tried anyway", async () => {
    const { clock, source, want } = startPoller([]);
    source.behaviour = answering(() => failed("Unavailable"));
    want([desiredQuery("jobs", "a")]);
    await clock.advance(500);
    want([desiredQuery("jobs", "a", { intervalMs: 600_000 })]);
    await clock.advance(250);
    expect(source.fetches.length).toBe(2);
  });
});

describe("stop", () => {
  it("aborts the call under way, closes the source once and leaves no timer", async () => {
    const { clock, source, poller } = startPoller(["a"]);
    source.behaviour = (call) => call.signal.addEventListener("abort", () => call.finish());
    await clock.advance(10);
    await Promise.all([poller.stop(), poller.stop()]);
    expect(source.last.signal.aborted).toBe(true);
    expect({ closed: source.closed, timers: clock.pendingTimers }).toEqual({
      closed: 1,
      timers: 0,
    });
  });

  it("is bounded when the source neither returns nor closes", async () => {
    const { clock, source, poller } = startPoller(["a"]);
    source.close = () => new Promise<void>(() => undefined);
    await clock.advance(10);
    let hasStopped = false;
    const stopped = poller.stop().then(() => {
      hasStopped = true;
    });
    await clock.advance(3_999);
    expect(hasStopped).toBe(false);
    await clock.advance(1);
    await stopped;
    expect(clock.pendingTimers).toBe(0);
  });

  it("records nothing from then on: a poll that was cut short is no failure", async () => {
    const { clock, source, poller, store, observer } = startPoller(["a", "b"]);
    await clock.advance(10);
    const stopped = poller.stop();
    source.last.report("a", read(clock));
    source.last.finish();
    await stopped;
    expect([store.hasOutcome("jobs/a"), store.hasOutcome("jobs/b")]).toEqual([false, false]);
    expect(observer.polls).toEqual([]);
  });

  it("is safe before start, which then does nothing", async () => {
    const house = pollingHouse();
    const source = new FakeSource();
    const poller = new Poller(desiredConnection("jobs", ["a"], source), source, house.dependencies);
    await poller.stop();
    poller.start();
    await house.clock.advance(10_000);
    expect({ fetches: source.fetches.length, closed: source.closed }).toEqual({
      fetches: 0,
      closed: 1,
    });
  });
});
