import { describe, expect, it } from "vitest";
import type { DemoResult } from "../../../src/demo/demo-run.ts";
import { summarize } from "../../../src/demo/summary.ts";

const result = (overrides: Partial<DemoResult> = {}): DemoResult => ({
  elapsedMs: 60_000,
  produced: 134,
  done: 130,
  longestWaitMs: 4200,
  readsOk: 60,
  readsFailed: 0,
  replicaPath: [1, 5, 10, 0],
  apiStops: 0,
  movedWhileFrozen: [],
  ...overrides,
});

describe("summarize", () => {
  it("sums up jobs, waits, replicas and reads", () => {
    expect(summarize(result(), 15)).toEqual({
      isGood: true,
      lines: [
        "ran          1:00 at time ×15 (15:00 of cluster time)",
        "jobs         134 produced, 130 done",
        "longest wait 4.2 s (63.0 s of cluster time)",
        "replicas     1 → 5 → 10 → 0",
        "reads        60 ok, 0 failed",
      ],
    });
  });

  it.each([
    [
      "a freeze is told",
      { readsFailed: 5, apiStops: 1 },
      true,
      "frozen       replicas did not move while reads failed",
    ],
    [
      "a move without a number is a failure",
      { readsFailed: 5, apiStops: 1, movedWhileFrozen: [7, 8] },
      false,
      "FAILED       replicas moved to 7, 8 while reads failed",
    ],
    [
      "a stop that no read noticed is a failure",
      { apiStops: 1 },
      false,
      "FAILED       the API server was stopped, and no read failed",
    ],
  ] as const)("%s", (_rule, overrides, isGood, lastLine) => {
    const summary = summarize(result(overrides), 15);
    expect(summary.isGood).toBe(isGood);
    expect(summary.lines.at(-1)).toBe(lastLine);
  });

  it("shortens a long path to its ends", () => {
    const replicaPath = Array.from({ length: 100 }, (_, index) => index);
    const line = summarize(result({ replicaPath }), 15).lines[3];
    expect(line).toMatch(/^replicas {5}0 → 1 → .* → 14 → … → 85 → .* → 99$/);
  });
});
