import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arrivalsBetween } from "../../../src/demo/arrivals.ts";

const plan = {
  firstBurstSeconds: 30,
  burstEverySeconds: 100,
  burstJobs: [50, 80],
  trickleEverySeconds: 20,
  trickleForSeconds: 60,
};

describe("arrivalsBetween", () => {
  it.each([
    ["nothing comes before the first burst", 0, 30_000, { jobs: 0, bursts: 0 }],
    ["a burst comes all at once", 30_000, 30_001, { jobs: 50, bursts: 1 }],
    ["a burst is not counted twice", 30_001, 49_999, { jobs: 0, bursts: 0 }],
    ["a trickle follows", 30_001, 130_000, { jobs: 3, bursts: 0 }],
    ["the second burst has its own size", 130_000, 131_000, { jobs: 80, bursts: 1 }],
    ["sizes begin again", 230_000, 231_000, { jobs: 50, bursts: 1 }],
    ["an empty stretch has none", 30_000, 30_000, { jobs: 0, bursts: 0 }],
  ])("%s", (_rule, fromMs, toMs, expected) => {
    expect(arrivalsBetween(plan, fromMs, toMs)).toEqual(expected);
  });

  it("gives the same jobs however the time is cut", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 600_000 })), (cuts) => {
        const edges = [0, ...cuts.toSorted((a, b) => a - b), 600_000];
        const parts = edges
          .slice(1)
          .map((to, index) => arrivalsBetween(plan, edges[index]!, to).jobs);
        const whole = arrivalsBetween(plan, 0, 600_000).jobs;
        expect(parts.reduce((sum, jobs) => sum + jobs, 0)).toBe(whole);
      }),
    );
  });
});
