import { describe, expect, it } from "vitest";
import {
  externalMetricReplicas,
  externalPerPodMetricReplicas,
  int32FromFloat,
} from "../../../src/simulator/hpa-replica-calculator.ts";

const maxInt64 = 2n ** 63n - 1n;
const tolerances = { scaleUp: 0.1, scaleDown: 0.1 };
const usage = (valuesMilli: readonly bigint[], targetMilli: bigint) => ({
  valuesMilli,
  targetMilli,
  tolerances,
});

describe("a Value target", () => {
  it.each([
    // name, values, target, spec.replicas, ready pods, replicas
    ["grows with the ratio", [8600n], 4400n, 3, 3, 6],
    ["shrinks with the ratio", [8600n], 9766n, 5, 5, 5],
    ["sums all items", [4300n, 4300n], 4400n, 3, 3, 6],
    ["counts ready pods, not wanted ones", [8600n], 4400n, 3, 2, 4],
    ["stays within the tolerance above", [11_000n], 10_000n, 3, 3, 3],
    ["stays within the tolerance below", [9000n], 10_000n, 3, 3, 3],
    ["leaves the tolerance above", [11_001n], 10_000n, 3, 3, 4],
    ["goes to 0 on 0", [0n], 10_000n, 3, 3, 0],
    ["goes to 0 with no ready pod", [50_000n], 10_000n, 3, 0, 0],
    ["is capped at int32", [maxInt64], 1n, 3, 3, 2 ** 31 - 1],
    ["from 0 takes the ratio alone", [25_000n], 10_000n, 0, 0, 3],
    ["from 0 knows no tolerance", [10_500n], 10_000n, 0, 0, 2],
    ["from 0 overflows below every bound, as int32 does", [maxInt64], 1n, 0, 0, -(2 ** 31)],
    ["goes below 0 on a negative usage", [-20_000n], 10_000n, 3, 3, -6],
  ] as const)("%s", (_rule, values, target, specReplicas, readyCount, replicas) => {
    const pods = { count: Math.max(readyCount, 3), readyCount };
    expect(externalMetricReplicas(usage(values, target), specReplicas, pods)).toMatchObject({
      outcome: "proposed",
      replicas,
    });
  });

  it("fails when the target selects no pod", () => {
    const pods = { count: 0, readyCount: 0 };
    expect(externalMetricReplicas(usage([50_000n], 10_000n), 3, pods)).toEqual({
      outcome: "failed",
      message:
        "unable to calculate ready pods: no pods returned by selector while calculating replica count",
    });
  });

  it("saturates a positive overflow of the sum", () => {
    const pods = { count: 1, readyCount: 1 };
    expect(externalMetricReplicas(usage([maxInt64, 1000n], 1000n), 1, pods)).toEqual({
      outcome: "proposed",
      replicas: 2 ** 31 - 1,
      current: "9223372036854775807m",
    });
  });
});

describe("an AverageValue target", () => {
  it.each([
    // name, values, target, status.replicas, replicas, shown
    ["divides the sum by the target", [8600n], 2150n, 3, 4, "2867m"],
    ["sums all items", [4300n, 4300n], 2150n, 3, 4, "2867m"],
    ["rounds replicas up", [12_500n], 5000n, 2, 3, "6250m"],
    ["stays within tolerance of the present count", [10_500n], 5000n, 2, 2, "5250m"],
    ["holds status.replicas on exactly the edge", [11_000n], 5000n, 2, 2, "5500m"],
    ["goes to 0 on 0", [0n], 5000n, 2, 0, "0"],
    ["takes a negative sum for an overflow", [-5000n], 5000n, 2, 2 ** 31 - 1, undefined],
    ["takes an overflowing sum for an overflow", [maxInt64, 1n], 5000n, 2, 2 ** 31 - 1, undefined],
  ] as const)("%s", (_rule, values, target, statusReplicas, replicas, shown) => {
    expect(externalPerPodMetricReplicas(usage(values, target), statusReplicas)).toEqual({
      outcome: "proposed",
      replicas,
      current: shown ?? "9223372036854775807m",
    });
  });

  it.each([
    ["wakes on anything above 0", [1n], 1],
    ["stays at 0 on 0", [0n], 0],
    ["wakes at the size needed", [18_000n], 4],
  ] as const)("from 0 replicas %s and shows no average", (_rule, values, replicas) => {
    expect(externalPerPodMetricReplicas(usage(values, 5000n), 0)).toEqual({
      outcome: "proposed",
      replicas,
    });
  });
});

describe("int32FromFloat", () => {
  it.each([
    [1.9, 1],
    [-1.9, -1],
    [-0.5, 0],
    [2 ** 31 - 1, 2 ** 31 - 1],
    [2 ** 31, -(2 ** 31)],
    [Number.POSITIVE_INFINITY, -(2 ** 31)],
    [Number.NaN, -(2 ** 31)],
  ])("converts %d to %d as Go does on amd64", (value, expected) => {
    expect(int32FromFloat(value)).toBe(expected);
  });
});
