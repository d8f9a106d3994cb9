import { describe, expect, it } from "vitest";
import { within } from "../../../src/runtime/within.ts";
import { FakeClock } from "../../fakes/fake-clock.ts";

describe("within", () => {
  it.each([
    ["resolves", () => Promise.resolve("x")],
    ["rejects", () => Promise.reject(new Error("x"))],
  ])("is done when the work %s in time, and leaves no timer", async (_name, work) => {
    const clock = new FakeClock();
    expect(await within(clock, 1_000, work())).toBe("done");
    expect(clock.pendingTimers).toBe(0);
  });

  it("is late when the work goes on, whose later failure is nobody's surprise", async () => {
    const clock = new FakeClock();
    let fail: ((reason: Error) => void) | undefined;
    const work = new Promise((_resolve, reject) => {
      fail = reject;
    });
    const waited = within(clock, 1_000, work);
    await clock.advance(1_000);
    expect(await waited).toBe("late");
    fail?.(new Error("too late"));
    await clock.advance(1);
  });
});
