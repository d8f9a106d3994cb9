import { describe, expect, it } from "vitest";
import { runTogether, untilAborted } from "../../../src/demo/run-together.ts";

const never = new AbortController().signal;

describe("runTogether", () => {
  it("ends all when the first one ends", async () => {
    let hasEnded = false;
    const other = async (signal: AbortSignal): Promise<void> => {
      try {
        await untilAborted(signal);
      } finally {
        hasEnded = true;
      }
    };
    await runTogether([() => Promise.resolve("done"), other], never);
    expect(hasEnded).toBe(true);
  });

  it("throws the failure that ended it, not the abort of the others", async () => {
    const fail = () => Promise.reject(new Error("queue is gone"));
    await expect(runTogether([untilAborted, fail], never)).rejects.toThrow("queue is gone");
  });

  it("ends quietly when it is told to", async () => {
    const stop = new AbortController();
    const running = runTogether([untilAborted, untilAborted], stop.signal);
    stop.abort("SIGINT");
    await expect(running).resolves.toBeUndefined();
  });

  it("reports a failure while others are being ended", async () => {
    const failing = async (signal: AbortSignal): Promise<never> => {
      await untilAborted(signal).catch(() => undefined);
      throw new Error("could not close");
    };
    await expect(runTogether([() => Promise.resolve(), failing], never)).rejects.toThrow(
      "could not close",
    );
  });
});
