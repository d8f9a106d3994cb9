import { describe, expect, it } from "vitest";
import { systemClock, systemRandom } from "../../../src/runtime/clock.ts";
import type { Clock } from "../../../src/runtime/clock.ts";
import { FakeClock } from "../../fakes/fake-clock.ts";

interface PushedClock {
  readonly clock: Clock;
  /** Lets time pass where it does not by itself. */
  readonly push: (ms: number) => Promise<void>;
}

const clocks: readonly (readonly [string, () => PushedClock])[] = [
  ["systemClock", () => ({ clock: systemClock, push: () => Promise.resolve() })],
  [
    "FakeClock",
    () => {
      const clock = new FakeClock();
      return { clock, push: (ms) => clock.advance(ms) };
    },
  ],
];

describe.each(clocks)("%s", (_name, create) => {
  it("sleeps at least as long as asked, to the millisecond of the timer", async () => {
    const { clock, push } = create();
    const startedMs = clock.monotonic();
    const slept = clock.sleep(20);
    await push(20);
    await slept;
    expect(clock.monotonic() - startedMs).toBeGreaterThanOrEqual(19);
  });

  it("rejects a sleep with the signal's reason, before and while it sleeps", async () => {
    const { clock } = create();
    const reason = new Error("woken");
    await expect(clock.sleep(60_000, AbortSignal.abort(reason))).rejects.toBe(reason);
    const controller = new AbortController();
    const slept = clock.sleep(60_000, controller.signal);
    controller.abort(reason);
    await expect(slept).rejects.toBe(reason);
  });

  it("aborts with a TimeoutError when the time has passed", async () => {
    const { clock, push } = create();
    const { signal } = clock.timeout(5);
    const aborted = new Promise((resolve) => signal.addEventListener("abort", resolve));
    await push(5);
    await aborted;
    expect(signal.reason).toMatchObject({ name: "TimeoutError", message: "no answer within 5 ms" });
  });

  it("aborts with the parent's reason, also when the parent was aborted before", () => {
    const { clock } = create();
    const reason = new Error("shutting down");
    const controller = new AbortController();
    const child = clock.timeout(60_000, controller.signal);
    controller.abort(reason);
    expect(child.signal.reason).toBe(reason);
    expect(clock.timeout(60_000, controller.signal).signal.reason).toBe(reason);
  });

  it("does not abort once cleared, neither by time nor by the parent", async () => {
    const { clock, push } = create();
    const controller = new AbortController();
    const { signal, clear } = clock.timeout(5, controller.signal);
    clear();
    const later = clock.sleep(20);
    await push(20);
    await later;
    controller.abort();
    expect(signal.aborted).toBe(false);
  });
});

describe("systemClock", () => {
  it("never goes back", () => {
    let lastMs = systemClock.monotonic();
    for (let look = 0; look < 1_000; look += 1) {
      const nowMs = systemClock.monotonic();
      expect(nowMs).toBeGreaterThanOrEqual(lastMs);
      lastMs = nowMs;
    }
  });

  it("does not take a delay that is too long for a timer as none at all", async () => {
    const controller = new AbortController();
    const forever = systemClock.sleep(Infinity, controller.signal).then(
      () => "ended",
      () => "woken",
    );
    const { signal, clear } = systemClock.timeout(2 ** 31);
    await systemClock.sleep(20);
    expect(signal.aborted).toBe(false);
    controller.abort();
    clear();
    expect(await forever).toBe("woken");
  });
});

describe("systemRandom", () => {
  it("lies between 0 (inclusive) and 1 (exclusive)", () => {
    const drawn = Array.from({ length: 1_000 }, systemRandom);
    expect(drawn.every((value) => value >= 0 && value < 1)).toBe(true);
  });
});

describe("FakeClock", () => {
  it("moves wall time alone when that jumps, and leaves no timer behind a cleared deadline", async () => {
    const clock = new FakeClock(1_000);
    clock.jumpWallClock(-500);
    expect([clock.now(), clock.monotonic()]).toEqual([500, 0]);
    const deadline = clock.timeout(10);
    deadline.clear();
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(10);
    expect([clock.now(), clock.monotonic()]).toEqual([510, 10]);
  });
});
