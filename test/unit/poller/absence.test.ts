import { afterEach, describe, expect, it } from "vitest";
import { PollerManager } from "../../../src/poller/manager.ts";
import type { DesiredQuery } from "../../../src/poller/desired-connection.ts";
import { SignalRegistry } from "../../../src/signals/signal-registry.ts";
import { ReadingStore } from "../../../src/store/reading-store.ts";
import { FakeClock } from "../../fakes/fake-clock.ts";
import { answering, FakeSource } from "../../fakes/fake-source.ts";
import { inputDefinition, signalDefinition } from "../signals/definitions.ts";
import { desiredConnection, desiredQuery, failed, read, RecordingObserver } from "./polling.ts";

const started: { readonly pollers: PollerManager; readonly clock: FakeClock }[] = [];
const intervalMs = 5_000;

const strict = signalDefinition({
  name: "strict",
  metricName: "strict",
  inputs: [inputDefinition({ queryKey: "events/jobs" })],
});
const lenient = signalDefinition({
  name: "lenient",
  metricName: "lenient",
  inputs: [inputDefinition({ queryKey: "events/jobs", missingFields: { waiting: 0, active: 0 } })],
});

/** Poller, store and signals over a queue that is not there until the test says so; a second passes at a time. */
async function startHouse(changes: Partial<DesiredQuery>, random = () => 0.5) {
  const clock = new FakeClock();
  const store = new ReadingStore();
  const observer = new RecordingObserver();
  const signals = new SignalRegistry({ readings: store, clock });
  const onOutcome = (queryKey: string): void => signals.onOutcome(queryKey);
  const pollers = new PollerManager({ clock, store, random, observer, onOutcome });
  const source = new FakeSource(answering(() => failed("NotFound")));
  const query = { ...desiredQuery("events", "jobs", { intervalMs }), ...changes };
  await pollers.apply([{ ...desiredConnection("events", [], source), queries: [query] }]);
  signals.apply(signals.prepare([strict, lenient]).accepted);
  await pollers.start(new AbortController().signal);
  started.push({ pollers, clock });
  await clock.advance(0);
  const answer = (name: string): number | string => {
    const outcome = signals.served(`shop/${name}`)?.evaluation.outcome;
    return outcome?.status === "available" ? outcome.value : String(outcome?.status);
  };
  /** The different answers of a signal, looked at every second for as long as that. */
  const answersOver = async (name: string, durationMs: number): Promise<readonly unknown[]> => {
    const answers = new Set([answer(name)]);
    for (let passedMs = 0; passedMs < durationMs; passedMs += 1_000) {
      await clock.advance(1_000);
      answers.add(answer(name));
    }
    return [...answers];
  };
  /** The queue comes into being; tells after how many milliseconds a signal serves it. */
  const noticed = async (name: string): Promise<number> => {
    source.behaviour = answering(() => read(clock, 7));
    const appearedMs = clock.monotonic();
    while (answer(name) !== 7 && clock.monotonic() < appearedMs + 120_000) await clock.advance(250);
    return clock.monotonic() - appearedMs;
  };
  return { clock, source, observer, pollers, answersOver, noticed };
}

afterEach(async () => {
  for (const { pollers, clock } of started.splice(0)) {
    const stopped = pollers.stop();
    await clock.advance(4_000);
    await stopped;
  }
});

describe("a queue that does not exist, where a reader allows that", () => {
  it("counts as empty without a gap, and its first job is noticed within one interval", async () => {
    const { answersOver, noticed } = await startHouse({ allowsMissing: true });
    expect(await answersOver("lenient", 120_000)).toEqual([0]);
    expect(await noticed("lenient")).toBeLessThanOrEqual(intervalMs);
  });

  it("outlives failed polls for as long as a reading would, and no longer", async () => {
    const { source, answersOver } = await startHouse({ allowsMissing: true });
    source.behaviour = answering(() => failed("Unavailable"));
    expect(await answersOver("lenient", 16_000)).toEqual([0]);
    expect(await answersOver("lenient", 10_000)).toEqual([0, "unavailable"]);
  });

  it("is an answer at once when the queue goes: newer than the last reading of it", async () => {
    const { source, answersOver, noticed } = await startHouse({ allowsMissing: true });
    await noticed("lenient");
    source.behaviour = answering(() => failed("NotFound"));
    expect(await answersOver("lenient", intervalMs + 1_000)).toEqual([7, 0]);
    expect(await answersOver("strict", 20_000)).toEqual([7, "unavailable"]);
    expect(await answersOver("lenient", 1_000)).toEqual([0]);
  });

  it("stays an error for the reader beside it that does not allow it", async () => {
    const { answersOver, noticed } = await startHouse({ allowsMissing: true });
    expect(await answersOver("strict", 120_000)).toEqual(["unavailable"]);
    expect(await noticed("strict")).toBeLessThanOrEqual(intervalMs);
  });

  it("is no failing query, and brings back what failed with the connection", async () => {
    const { clock, source, pollers, observer } = await startHouse({ allowsMissing: true });
    expect(observer.polls).toMatchObject([{ outcome: "NotFound", isAllowed: true }]);
    const [summary] = pollers.summaries();
    expect(summary?.counts).toEqual({ pending: 0, read: 1, failing: 0, hung: 0 });
    const queries = [
      { ...desiredQuery("events", "jobs", { intervalMs }), allowsMissing: true },
      desiredQuery("events", "other", { intervalMs: 60_000 }),
    ];
    source.behaviour = answering(() => failed("Unavailable"));
    await pollers.apply([{ ...desiredConnection("events", [], source), queries }]);
    await clock.advance(600_000);
    const firstAskedMs = new Map<string, number>();
    source.behaviour = (fetch) => {
      for (const key of fetch.keys) {
        if (!firstAskedMs.has(key)) firstAskedMs.set(key, clock.monotonic());
      }
      answering((key) => (key === "jobs" ? failed("NotFound") : read(clock)))(fetch);
    };
    await clock.advance(60_000);
    const [jobsMs = Infinity, otherMs = Infinity] = ["jobs", "other"].map((key) =>
      firstAskedMs.get(key),
    );
    expect(otherMs - jobsMs).toBeGreaterThanOrEqual(0);
    expect(otherMs - jobsMs).toBeLessThanOrEqual(1_250);
  });

  it("still backs off while the connection fails for another reason", async () => {
    const { clock, source } = await startHouse({ allowsMissing: true });
    source.behaviour = answering(() => failed("PermissionDenied"));
    await clock.advance(300_000);
    const before = source.fetches.length;
    await clock.advance(90_000);
    expect(source.fetches.length - before).toBeLessThanOrEqual(5);
  });
});

describe("a queue that does not exist, where nobody allows that", () => {
  it("is an error throughout, and is noticed within 30 s of its first job", async () => {
    const { answersOver, noticed, observer } = await startHouse(
      { allowsMissing: false },
      () => 1 - Number.EPSILON,
    );
    expect(await answersOver("strict", 136_000)).toEqual(["unavailable"]);
    expect(await noticed("strict")).toBeLessThanOrEqual(30_250);
    expect(observer.polls[0]).not.toHaveProperty("isAllowed");
  });
});
