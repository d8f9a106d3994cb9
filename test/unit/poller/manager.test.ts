import { afterEach, describe, expect, it } from "vitest";
import type { DesiredConnection } from "../../../src/poller/desired-connection.ts";
import { PollerManager } from "../../../src/poller/manager.ts";
import type { FakeClock } from "../../fakes/fake-clock.ts";
import { answering, FakeSource } from "../../fakes/fake-source.ts";
import { desiredConnection, desiredQuery, failed, pollingHouse, read } from "./polling.ts";

const started: { readonly manager: PollerManager; readonly clock: FakeClock }[] = [];

async function startManager(desired: readonly DesiredConnection[], house = pollingHouse()) {
  const manager = new PollerManager(house.dependencies);
  await manager.apply(desired);
  await manager.start(new AbortController().signal);
  started.push({ manager, clock: house.clock });
  return { ...house, manager };
}

afterEach(async () => {
  for (const { manager, clock } of started.splice(0)) {
    const stopped = manager.stop();
    await clock.advance(4_000);
    await stopped;
  }
});

describe("connections", () => {
  it("never delay one another: one hangs, one is gone, one is healthy", async () => {
    const house = pollingHouse();
    const { clock, store } = house;
    const healthy = new FakeSource(answering(() => read(clock)));
    const gone = new FakeSource(answering(() => failed("Unavailable")));
    await startManager(
      [
        desiredConnection("hung", ["a", "b"], new FakeSource()),
        desiredConnection("gone", ["a", "b"], gone),
        desiredConnection("healthy", ["a", "b"], healthy),
      ],
      house,
    );
    for (let tick = 0; tick < 60; tick += 1) {
      await clock.advance(1_000);
      const ages = ["a", "b"].map((key) => {
        const freshness = store.freshness(`healthy/${key}`, 8_000, clock.monotonic());
        return freshness.status === "fresh" ? freshness.ageMs : Infinity;
      });
      expect(Math.max(...ages)).toBeLessThanOrEqual(7_500);
    }
  });

  it("are polled only once started, all at once", async () => {
    const house = pollingHouse();
    const source = new FakeSource();
    const manager = new PollerManager(house.dependencies);
    await manager.apply([desiredConnection("jobs", ["a"], source)]);
    await house.clock.advance(60_000);
    expect(source.fetches.length).toBe(0);
    await manager.start(new AbortController().signal);
    started.push({ manager, clock: house.clock });
    await house.clock.advance(0);
    expect(source.fetches.length).toBe(1);
  });

  it("are announced when polling starts, not while a start may still be given up", async () => {
    const { dependencies, observer } = pollingHouse();
    const manager = new PollerManager(dependencies);
    await manager.apply([
      desiredConnection("gone", ["a"], new FakeSource()),
      desiredConnection("jobs", ["a"], new FakeSource()),
    ]);
    await manager.apply([desiredConnection("jobs", ["a"], new FakeSource())]);
    expect(observer.told).toEqual([]);
    await manager.start(new AbortController().signal);
    started.push({ manager, clock: dependencies.clock });
    expect(observer.told).toEqual(["added jobs"]);
    await manager.apply([
      desiredConnection("jobs", ["a"], new FakeSource()),
      desiredConnection("more", ["x"], new FakeSource()),
    ]);
    expect(observer.told).toEqual(["added jobs", "added more"]);
  });

  it("are not started when the start was given up", async () => {
    const manager = new PollerManager(pollingHouse().dependencies);
    const reason = new Error("interrupted");
    await expect(manager.start(AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

describe("a change", () => {
  it("leaves an unchanged connection alone: same source, same readings, same due times", async () => {
    const house = pollingHouse();
    const { clock, store } = house;
    const source = new FakeSource(answering(() => read(clock)));
    const desired = desiredConnection("jobs", ["a"], source);
    const { manager } = await startManager([desired], house);
    await clock.advance(21_000);
    const before = { polls: source.fetches.length, history: store.history("jobs/a") };
    const other = new FakeSource();
    await manager.apply([
      { ...desired, createSource: () => Promise.reject(new Error("must not be called")) },
      desiredConnection("more", ["x"], other),
    ]);
    await clock.advance(0);
    expect({ polls: source.fetches.length, history: store.history("jobs/a") }).toEqual(before);
    expect([source.closed, other.fetches.length]).toEqual([0, 1]);
  });

  it("polls added queries at once and forgets removed ones", async () => {
    const house = pollingHouse();
    const { clock, store } = house;
    const source = new FakeSource(answering(() => read(clock)));
    const { manager } = await startManager([desiredConnection("jobs", ["a", "b"], source)], house);
    await clock.advance(1_000);
    await manager.apply([desiredConnection("jobs", ["b", "c"], source)]);
    await clock.advance(0);
    expect(source.last.keys).toEqual(["c"]);
    expect(["a", "b", "c"].map((key) => store.history(`jobs/${key}`).length)).toEqual([0, 1, 1]);
    expect(store.size().queries).toBe(2);
  });

  it("keeps readings when an interval changes", async () => {
    const house = pollingHouse();
    const { clock, store } = house;
    const source = new FakeSource(answering(() => read(clock)));
    const desired = desiredConnection("jobs", ["a"], source);
    const { manager } = await startManager([desired], house);
    await clock.advance(21_000);
    const history = store.history("jobs/a");
    await manager.apply([
      { ...desired, queries: [desiredQuery("jobs", "a", { intervalMs: 15_000 })] },
    ]);
    expect(store.history("jobs/a")).toEqual(history);
    expect(history.length).toBeGreaterThanOrEqual(4);
  });

  it("replaces the source of a connection with other options, and starts its readings anew", async () => {
    const house = pollingHouse();
    const { clock, store, observer } = house;
    const before = new FakeSource(answering(() => read(clock, 7)));
    const after = new FakeSource();
    const { manager } = await startManager([desiredConnection("jobs", ["a"], before)], house);
    await clock.advance(1_000);
    await manager.apply([{ ...desiredConnection("jobs", ["a"], after), identity: "jobs-2" }]);
    expect(store.freshness("jobs/a", 60_000, clock.monotonic())).toEqual({ status: "missing" });
    await clock.advance(10);
    after.last.report("a", read(clock, 8));
    expect(store.history("jobs/a").map(({ fields }) => fields["waiting"])).toEqual([8]);
    expect([before.closed, after.closed]).toEqual([1, 0]);
    expect(observer.told.filter((line) => /added|removed/u.test(line))).toEqual([
      "added jobs",
      "added jobs",
    ]);
  });

  it("does not take a late report of the replaced source for one of the new", async () => {
    const house = pollingHouse();
    const { clock, store } = house;
    const before = new FakeSource();
    const { manager } = await startManager([desiredConnection("jobs", ["a"], before)], house);
    await clock.advance(10);
    await manager.apply([
      { ...desiredConnection("jobs", ["a"], new FakeSource()), identity: "jobs-2" },
    ]);
    before.last.report("a", read(clock, 7));
    expect(store.hasOutcome("jobs/a")).toBe(false);
    await clock.advance(4_000);
  });

  it("leaves no trace of a removed connection whose call returns late", async () => {
    const house = pollingHouse();
    const { clock, observer } = house;
    const source = new FakeSource();
    const { manager } = await startManager([desiredConnection("jobs", ["a"], source)], house);
    await clock.advance(10);
    await manager.apply([]);
    source.last.report("a", read(clock));
    source.last.finish();
    await clock.advance(5_000);
    expect(observer.told).toEqual(["added jobs", "removed jobs"]);
  });

  it("closes the source of a removed connection and forgets its queries", async () => {
    const house = pollingHouse();
    const { clock, store, observer } = house;
    const source = new FakeSource(answering(() => read(clock)));
    const { manager } = await startManager([desiredConnection("jobs", ["a"], source)], house);
    await clock.advance(1_000);
    await manager.apply([]);
    await clock.advance(0);
    expect({ closed: source.closed, queries: store.size().queries }).toEqual({
      closed: 1,
      queries: 0,
    });
    expect(observer.told.at(-1)).toBe("removed jobs");
    expect(clock.pendingTimers).toBe(0);
  });

  it("that cannot be prepared leaves everything as it was and closes what was made for it", async () => {
    const house = pollingHouse();
    const { clock } = house;
    const source = new FakeSource(answering(() => read(clock)));
    const { manager } = await startManager([desiredConnection("jobs", ["a"], source)], house);
    const made = new FakeSource();
    const change = [
      desiredConnection("made", ["x"], made),
      desiredConnection("broken", ["y"], () => Promise.reject(new Error("no such file: /ca.pem"))),
    ];
    await expect(manager.prepare(change)).rejects.toThrow("no such file: /ca.pem");
    expect([made.closed, source.closed]).toEqual([1, 0]);
    expect(manager.summaries().map(({ connection }) => connection)).toEqual(["jobs"]);
  });

  it("that is discarded closes what was made for it and changes nothing", async () => {
    const { manager } = await startManager([]);
    const made = new FakeSource();
    const prepared = await manager.prepare([desiredConnection("made", ["x"], made)]);
    await prepared.discard();
    expect([made.closed, manager.summaries().length]).toEqual([1, 0]);
  });

  it("that is in force can no longer be discarded", async () => {
    const { manager } = await startManager([]);
    const made = new FakeSource();
    const prepared = await manager.prepare([desiredConnection("made", ["x"], made)]);
    prepared.commit();
    await prepared.discard();
    expect([made.closed, manager.summaries().length]).toEqual([0, 1]);
  });

  it("cannot be committed over another one, nor after the stop", async () => {
    const { manager } = await startManager([]);
    const first = await manager.prepare([]);
    const second = await manager.prepare([]);
    const third = await manager.prepare([]);
    first.commit();
    expect(() => second.commit()).toThrow("another change was committed first");
    await manager.stop();
    expect(() => third.commit()).toThrow("polling has stopped");
  });

  it.each([
    ["two connections", ["jobs", "jobs"], 'connection "jobs" is given twice'],
    ["two queries", ["jobs", "more"], 'query "jobs/a" is given twice'],
  ])("with one name for %s is refused", async (_name, names, message) => {
    const { manager } = await startManager([]);
    const desired = names.map((name) => ({
      ...desiredConnection(name, [], new FakeSource()),
      queries: [desiredQuery("jobs", "a")],
    }));
    await expect(manager.prepare(desired)).rejects.toThrow(message);
  });
});

describe("first-poll", () => {
  it("is red before polling starts", () => {
    const manager = new PollerManager(pollingHouse().dependencies);
    expect(manager.firstPollCheck().name).toBe("first-poll");
    expect(manager.firstPollCheck().run()).toEqual({
      status: "failed",
      reason: "polling has not started",
    });
  });

  it("is green at once when nothing is polled", async () => {
    const { manager } = await startManager([]);
    expect(manager.firstPollCheck().run()).toEqual({ status: "ok" });
  });

  it("turns green with the last first outcome, be it a failure, and stays green when a reload adds queries", async () => {
    const house = pollingHouse();
    const source = new FakeSource();
    const { manager, clock } = await startManager(
      [desiredConnection("jobs", ["a", "b"], source)],
      house,
    );
    await clock.advance(10);
    expect(manager.firstPollCheck().run()).toEqual({
      status: "failed",
      reason: "2 queries have had no outcome",
    });
    source.last.report("a", read(clock));
    source.last.report("b", failed("Unavailable"));
    expect(manager.firstPollCheck().run()).toEqual({ status: "ok" });
    await manager.apply([desiredConnection("jobs", ["a", "b", "c"], source)]);
    expect(manager.firstPollCheck().run()).toEqual({ status: "ok" });
  });

  it("turns green 10 s after the start whatever hangs", async () => {
    const source = new FakeSource();
    const { manager, clock } = await startManager([
      {
        ...desiredConnection("jobs", [], source),
        queries: [desiredQuery("jobs", "a", { timeoutMs: 60_000 })],
      },
    ]);
    await clock.advance(9_999);
    expect(manager.firstPollCheck().run().status).toBe("failed");
    await clock.advance(1);
    expect(manager.firstPollCheck().run().status).toBe("ok");
  });
});

describe("stop", () => {
  it("is bounded, closes every source and leaves no timer", async () => {
    const house = pollingHouse();
    const stuck = new FakeSource();
    stuck.close = () => new Promise<void>(() => undefined);
    const willing = new FakeSource(answering(() => read(house.clock)));
    const { manager, clock } = await startManager(
      [desiredConnection("stuck", ["a"], stuck), desiredConnection("willing", ["a"], willing)],
      house,
    );
    await clock.advance(10);
    const stopped = Promise.all([manager.stop(), manager.stop()]);
    await clock.advance(4_000);
    await stopped;
    expect({ closed: willing.closed, timers: clock.pendingTimers }).toEqual({
      closed: 1,
      timers: 0,
    });
  });

  it("keeps the readings: what is drained may still be read", async () => {
    const house = pollingHouse();
    const source = new FakeSource(answering(() => read(house.clock)));
    const { manager, clock, store } = await startManager(
      [desiredConnection("jobs", ["a"], source)],
      house,
    );
    await clock.advance(10);
    await manager.stop();
    expect(store.freshness("jobs/a", 1_000, clock.monotonic()).status).toBe("fresh");
  });
});

describe("wall-clock jumps", () => {
  it.each([-86_400_000, 86_400_000])("of %d ms change nothing", async (jumpMs) => {
    const house = pollingHouse();
    const { clock, store } = house;
    const source = new FakeSource(answering(() => read(clock)));
    await startManager([desiredConnection("jobs", ["a"], source)], house);
    await clock.advance(20_000);
    const before = source.fetches.length;
    clock.jumpWallClock(jumpMs);
    await clock.advance(20_000);
    expect(source.fetches.length - before).toBe(4);
    expect(store.freshness("jobs/a", 5_000, clock.monotonic()).status).toBe("fresh");
  });
});

describe("summaries", () => {
  it("tell how the queries of each connection stand and how old their samples are", async () => {
    const house = pollingHouse();
    const source = new FakeSource();
    const { manager, clock } = await startManager(
      [desiredConnection("jobs", ["a", "b", "c"], source)],
      house,
    );
    await clock.advance(100);
    source.last.report("a", read(clock));
    source.last.report("b", failed("NotFound"));
    await clock.advance(400);
    expect(manager.summaries()).toEqual([
      {
        connection: "jobs",
        counts: { pending: 1, read: 1, failing: 1, hung: 0 },
        sampleAgesMs: [400],
      },
    ]);
  });
});
