import { describe, expect, it } from "vitest";
import { Timeline } from "../../../src/demo/timeline.ts";

const sample = (queueDepth: number) => ({ queueDepth, signal: undefined, replicas: 1 });
const depths = (timeline: Timeline) => timeline.columns.map(({ queueDepth }) => queueDepth);

describe("Timeline", () => {
  it("keeps the last sample of each column", () => {
    const timeline = new Timeline(1000, 10);
    for (const [elapsedMs, depth] of [
      [0, 1],
      [900, 2],
      [1000, 3],
    ] as const)
      timeline.record(elapsedMs, sample(depth));
    expect(depths(timeline)).toEqual([2, 3]);
  });

  it("keeps what happened in a column through later samples of it", () => {
    const timeline = new Timeline(1000, 10);
    timeline.record(100, sample(1), { hasBurst: true });
    timeline.record(200, sample(2), { hasFailedRead: true });
    timeline.record(300, sample(3));
    timeline.record(1300, sample(4));
    expect(timeline.columns).toEqual([
      { ...sample(3), hasBurst: true, hasFailedRead: true },
      { ...sample(4), hasBurst: false, hasFailedRead: false },
    ]);
  });

  it("fills columns that had no sample", () => {
    const timeline = new Timeline(1000, 10);
    timeline.record(0, sample(1));
    timeline.record(3000, sample(5));
    expect(depths(timeline)).toEqual([1, 5, 5, 5]);
  });

  it("forgets the oldest beyond its limit and says how many", () => {
    const timeline = new Timeline(1000, 3);
    for (let second = 0; second < 5; second += 1) timeline.record(second * 1000, sample(second));
    expect(depths(timeline)).toEqual([2, 3, 4]);
    expect(timeline.firstIndex).toBe(2);
  });
});
