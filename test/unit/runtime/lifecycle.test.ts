import { describe, expect, it } from "vitest";
import { Lifecycle } from "../../../src/runtime/lifecycle.ts";
import type { Component } from "../../../src/runtime/lifecycle.ts";
import { FakeClock } from "../../fakes/fake-clock.ts";

const going = new AbortController().signal;

function house() {
  const clock = new FakeClock();
  const events: string[] = [];
  const lifecycle = new Lifecycle({ clock, stopTimeoutMs: 1_000 });
  const part = (name: string, own: Partial<Component> = {}): Component => ({
    name,
    start: () => {
      events.push(`start ${name}`);
      return Promise.resolve();
    },
    stop: () => {
      events.push(`stop ${name}`);
      return Promise.resolve();
    },
    ...own,
  });
  return { clock, events, lifecycle, part };
}

describe("start", () => {
  it("starts in order, one after the other, and stops in reverse", async () => {
    const { events, lifecycle, part } = house();
    await lifecycle.start([part("store"), part("poller"), part("server")], going);
    await lifecycle.stop();
    expect(events).toEqual([
      ...["start store", "start poller", "start server"],
      ...["stop server", "stop poller", "stop store"],
    ]);
  });

  it("that fails stops what ran, starts nothing more and throws the failure", async () => {
    const { events, lifecycle, part } = house();
    const failure = new Error("address in use");
    const broken = part("server", { start: () => Promise.reject(failure) });
    await expect(lifecycle.start([part("store"), broken, part("never")], going)).rejects.toBe(
      failure,
    );
    expect(events).toEqual(["start store", "stop server", "stop store"]);
  });

  it("that was given up before starts nothing", async () => {
    const { events, lifecycle, part } = house();
    const reason = new Error("interrupted");
    await expect(lifecycle.start([part("store")], AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(events).toEqual([]);
  });

  it("that is overtaken by a stop leaves nothing running", async () => {
    const { events, lifecycle, part } = house();
    let finish: (() => void) | undefined;
    const slow = part("slow", {
      start: () =>
        new Promise<void>((resolve) => {
          finish = () => {
            events.push("up slow");
            resolve();
          };
        }),
    });
    const starting = lifecycle.start([part("store"), slow, part("never")], going);
    const failed = expect(starting).rejects.toThrow("stopped while starting");
    await new Promise((resolve) => setImmediate(resolve));
    await lifecycle.stop();
    finish?.();
    await failed;
    expect(events).toEqual(["start store", "stop slow", "stop store", "up slow", "stop slow"]);
  });
});

describe("stop", () => {
  it("runs once however often it is asked for, and is safe before the start", async () => {
    const { events, lifecycle, part } = house();
    await lifecycle.start([part("store")], going);
    expect(await lifecycle.stop()).toEqual(await lifecycle.stop());
    expect(events).toEqual(["start store", "stop store"]);
    expect(await house().lifecycle.stop()).toEqual([]);
  });

  it("goes on past a part that fails or hangs, and says how each left", async () => {
    const { clock, events, lifecycle, part } = house();
    const failure = new Error("already gone");
    await lifecycle.start(
      [
        part("store"),
        part("hangs", { stop: () => new Promise(() => undefined) }),
        part("fails", { stop: () => Promise.reject(failure) }),
        part("throws", {
          stop: () => {
            throw failure;
          },
        }),
      ],
      going,
    );
    const stopping = lifecycle.stop();
    await clock.advance(1_000);
    expect(await stopping).toEqual([
      { name: "throws", durationMs: 0, error: failure },
      { name: "fails", durationMs: 0, error: failure },
      {
        name: "hangs",
        durationMs: 1_000,
        error: expect.objectContaining({ name: "TimeoutError" }) as Error,
      },
      { name: "store", durationMs: 0 },
    ]);
    expect(events.at(-1)).toBe("stop store");
    expect(clock.pendingTimers).toBe(0);
  });
});
