import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { initialHpaState, stepHpa } from "../../../src/simulator/hpa.ts";
import type { HpaObservation, HpaState, HpaStep } from "../../../src/simulator/hpa.ts";
import type { ExternalMetricRead } from "../../../src/simulator/hpa-metrics.ts";
import { defaultHpaControllerOptions } from "../../../src/simulator/hpa-spec.ts";
import type {
  ExternalMetricSpec,
  HorizontalPodAutoscalerSpec,
} from "../../../src/simulator/hpa-spec.ts";

const startMs = Date.UTC(2026, 0, 1);
const immediate = {
  scaleUp: {
    stabilizationWindowSeconds: 0,
    policies: [{ type: "Pods", value: 1000, periodSeconds: 1 }],
  },
  scaleDown: {
    stabilizationWindowSeconds: 0,
    policies: [{ type: "Percent", value: 100, periodSeconds: 1 }],
  },
} as const satisfies HorizontalPodAutoscalerSpec["behavior"];

const averageMetric = (name: string, averageValue = "1"): ExternalMetricSpec => ({
  type: "External",
  external: { metric: { name }, target: { type: "AverageValue", averageValue } },
});
const read = (...values: string[]): ExternalMetricRead => ({ outcome: "values", values });
const failed: ExternalMetricRead = { outcome: "failed", message: "input jobs is stale" };
const spec = (
  overrides: Partial<HorizontalPodAutoscalerSpec> = {},
): HorizontalPodAutoscalerSpec => ({
  minReplicas: 0,
  maxReplicas: 100,
  metrics: [averageMetric("jobs")],
  behavior: immediate,
  ...overrides,
});
const observe = (
  specReplicas: number,
  reads: readonly ExternalMetricRead[],
  overrides: Partial<HpaObservation> = {},
): HpaObservation => ({
  nowMs: startMs,
  namespace: "demo",
  spec: spec(),
  scale: { specReplicas, statusReplicas: specReplicas },
  pods: { count: specReplicas, readyCount: specReplicas },
  reads,
  ...overrides,
});
const conditionsOf = ({ decision }: HpaStep): Record<string, string> =>
  Object.fromEntries(
    decision.conditions.map(({ type, status, reason }) => [type, `${status} ${reason}`]),
  );
/** Runs syncs 15 s apart, each seeing the size the one before it left. */
function sequence(
  hpa: HorizontalPodAutoscalerSpec,
  replicas: number,
  reads: readonly ExternalMetricRead[],
  periodMs = 15_000,
): readonly HpaStep[] {
  const steps: HpaStep[] = [];
  let state: HpaState = initialHpaState;
  let current = replicas;
  for (const [index, one] of reads.entries()) {
    const nowMs = startMs + index * periodMs;
    const step = stepHpa(state, observe(current, [one], { nowMs, spec: hpa }));
    steps.push(step);
    // What goes into the next sync has been through JSON: the state is plain.
    state = JSON.parse(JSON.stringify(step.state)) as HpaState;
    current = step.decision.desiredReplicas;
  }
  return steps;
}
const path = (steps: readonly HpaStep[]): readonly number[] =>
  steps.map(({ decision }) => decision.desiredReplicas);
const values = (...numbers: number[]): readonly ExternalMetricRead[] =>
  numbers.map((number) => read(String(number)));

describe("one metric", () => {
  it("moves to what the metric asks for and says why", () => {
    const step = stepHpa(initialHpaState, observe(2, [read("7")]));
    expect(step.decision).toMatchObject({
      currentReplicas: 2,
      desiredReplicas: 7,
      rescale: true,
      recommendedReplicas: 7,
      stabilizedReplicas: 7,
      rescaleReason: "external metric jobs(nil) above target",
    });
    expect(conditionsOf(step)).toEqual({
      AbleToScale: "True SucceededRescale",
      ScalingActive: "True ValidMetricFound",
      ScalingLimited: "False DesiredWithinRange",
      ScaledToZero: "False NotScaledToZero",
    });
  });

  // Seen on a real controller: AverageValue 5, replicas 2, bounds 1 to 7.
  it.each([
    ["10", 2, "5"],
    ["12.5", 3, "6250m"],
    ["0.0004", 1, "1m"],
    ["1e3", 7, "500"],
    ["1Ki", 7, "512"],
    ["-5", 7, "9223372036854775807m"],
    ["9223372036854775807", 7, "9223372036854775807m"],
    ["9223372036854775807k", 7, "9223372036854775807m"],
    ["1e30", 1, "0"],
  ])("takes the value %s to %d replicas and shows %s", (value, replicas, current) => {
    const hpa = spec({ minReplicas: 1, maxReplicas: 7, metrics: [averageMetric("jobs", "5")] });
    const step = stepHpa(initialHpaState, observe(2, [read(value)], { spec: hpa }));
    expect(step.decision.desiredReplicas).toBe(replicas);
    expect(step.decision.proposals).toMatchObject([{ outcome: "proposed", current }]);
  });

  it.each([
    ["an error", failed, "unable to fetch metrics from external metrics API: input jobs is stale"],
    ["an empty list", read(), "no metrics returned from external metrics API"],
    [
      "text",
      read("abc"),
      "unable to fetch metrics from external metrics API: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
  ] as const)("freezes on %s and carries its message", (_name, one, message) => {
    const step = stepHpa(initialHpaState, observe(5, [one]));
    const cause = `unable to get external metric demo/jobs/nil: ${message}`;
    expect(step.decision).toMatchObject({
      desiredReplicas: 5,
      rescale: false,
      error: `invalid metrics (1 invalid out of 1), first error is: failed to get jobs external metric value: failed to get jobs external metric: ${cause}`,
    });
    expect(step.decision.recommendedReplicas).toBeUndefined();
    expect(step.decision.conditions).toContainEqual({
      type: "ScalingActive",
      status: "False",
      reason: "FailedGetExternalMetric",
      message: `the HPA was unable to compute the replica count: ${cause}`,
      lastTransitionTimeMs: startMs,
    });
  });

  it("freezes when nothing was read at all", () => {
    expect(stepHpa(initialHpaState, observe(5, [])).decision).toMatchObject({
      desiredReplicas: 5,
      rescale: false,
    });
  });

  it("freezes when the HPA has no metric", () => {
    const step = stepHpa(initialHpaState, observe(5, [], { spec: spec({ metrics: [] }) }));
    expect(step.decision).toMatchObject({
      desiredReplicas: 5,
      error: "the HPA has no external metric",
    });
  });

  it("names the selector as upstream prints it", () => {
    const selector = {
      matchLabels: { region: "eu-west", queue: "orders" },
      matchExpressions: [{ key: "tier", operator: "In", values: ["a", "b"] }],
    } as const;
    const metric: ExternalMetricSpec = {
      type: "External",
      external: {
        metric: { name: "orders", selector },
        target: { type: "AverageValue", averageValue: "1" },
      },
    };
    const step = stepHpa(
      initialHpaState,
      observe(1, [read("3")], { spec: spec({ metrics: [metric] }) }),
    );
    expect(step.decision.rescaleReason).toBe(
      "external metric orders(&LabelSelector{MatchLabels:map[string]string{queue: orders,region: eu-west,},MatchExpressions:[]LabelSelectorRequirement{LabelSelectorRequirement{Key:tier,Operator:In,Values:[a b],},},}) above target",
    );
  });
});

describe("several metrics", () => {
  const two = spec({ metrics: [averageMetric("a"), averageMetric("b")] });
  it.each([
    ["the largest wins", [read("3"), read("8")], 8, "True ValidMetricFound"],
    ["the order does not matter", [read("8"), read("3")], 8, "True ValidMetricFound"],
    ["with one failed, scaling up goes on", [failed, read("8")], 8, "True ValidMetricFound"],
    ["with one failed, staying is allowed", [read("5"), failed], 5, "True ValidMetricFound"],
    [
      "with one failed, scaling down is blocked",
      [read("2"), failed],
      5,
      "False FailedGetExternalMetric",
    ],
    ["with all failed nothing moves", [failed, failed], 5, "False FailedGetExternalMetric"],
  ] as const)("%s", (_rule, reads, desired, active) => {
    const step = stepHpa(initialHpaState, observe(5, reads, { spec: two }));
    expect(step.decision.desiredReplicas).toBe(desired);
    expect(conditionsOf(step)["ScalingActive"]).toBe(active);
  });

  it("reports a failure also when it scales up in spite of it", () => {
    const step = stepHpa(initialHpaState, observe(5, [failed, read("8")], { spec: two }));
    expect(step.decision.error).toContain("invalid metrics (1 invalid out of 2), first error is: ");
  });
});

describe("tolerance", () => {
  it.each([
    ["the default of 10 % keeps the size", {}, "11", 10],
    ["the default of 10 % is left", {}, "11.1", 12],
    ["an own one upwards holds longer", { scaleUp: { tolerance: "0.5" } }, "15", 10],
    ["an own one upwards does not hold downwards", { scaleUp: { tolerance: "0.5" } }, "8", 8],
    ["an own one of 0 holds nothing", { scaleUp: { tolerance: "0" } }, "10.1", 11],
    ["an own one downwards holds longer", { scaleDown: { tolerance: "500m" } }, "5", 10],
  ] as const)("%s", (_rule, own, value, desired) => {
    const behavior = {
      scaleUp: { ...immediate.scaleUp, ...("scaleUp" in own ? own.scaleUp : {}) },
      scaleDown: { ...immediate.scaleDown, ...("scaleDown" in own ? own.scaleDown : {}) },
    };
    const step = stepHpa(initialHpaState, observe(10, [read(value)], { spec: spec({ behavior }) }));
    expect(step.decision.desiredReplicas).toBe(desired);
  });

  it("is the controller's alone when HPAConfigurableTolerance is off", () => {
    const behavior = { ...immediate, scaleUp: { ...immediate.scaleUp, tolerance: "0.5" } };
    const options = { ...defaultHpaControllerOptions, hasConfigurableTolerance: false };
    const step = stepHpa(
      initialHpaState,
      observe(10, [read("15")], { spec: spec({ behavior }), options }),
    );
    expect(step.decision.desiredReplicas).toBe(15);
  });
});

describe("bounds", () => {
  it.each([
    ["caps at the maximum", 5, "500", 100, "True TooManyReplicas"],
    ["stops at the minimum", 5, "0", 2, "True TooFewReplicas"],
  ] as const)("%s", (_rule, current, value, desired, limited) => {
    const step = stepHpa(
      initialHpaState,
      observe(current, [read(value)], { spec: spec({ minReplicas: 2 }) }),
    );
    expect(step.decision.desiredReplicas).toBe(desired);
    expect(conditionsOf(step)["ScalingLimited"]).toBe(limited);
  });

  it.each([
    ["above", 120, 100, "Current number of replicas above Spec.MaxReplicas"],
    ["below", 1, 2, "Current number of replicas below Spec.MinReplicas"],
  ] as const)(
    "are restored without a read when the size is %s",
    (_side, current, desired, reason) => {
      const step = stepHpa(
        initialHpaState,
        observe(current, [failed], { spec: spec({ minReplicas: 2 }) }),
      );
      expect(step.decision).toMatchObject({
        desiredReplicas: desired,
        rescaleReason: reason,
        proposals: [],
      });
    },
  );

  it("take minReplicas for 1 when it is absent", () => {
    const rest = { maxReplicas: 100, metrics: [averageMetric("jobs")], behavior: immediate };
    const step = stepHpa(initialHpaState, observe(5, [read("0")], { spec: rest }));
    expect(step.decision.desiredReplicas).toBe(1);
  });
});

describe("scale to zero", () => {
  it("sleeps, remembers that it did, and wakes", () => {
    const steps = sequence(spec(), 3, values(0, 0, 4, 4));
    expect(path(steps)).toEqual([0, 0, 4, 4]);
    expect(conditionsOf(steps[0]!)["ScaledToZero"]).toBe("True ScaledToZero");
    expect(conditionsOf(steps[2]!)["ScaledToZero"]).toBe("False NotScaledToZero");
  });

  it("sleeps on for ever when all that may be added is a percentage", () => {
    const behavior = {
      ...immediate,
      scaleUp: { policies: [{ type: "Percent", value: 900, periodSeconds: 15 }] },
    } as const;
    const steps = sequence(spec({ behavior }), 3, values(0, 4, 4), 60_000);
    expect(path(steps)).toEqual([0, 0, 0]);
    expect(conditionsOf(steps[2]!)["ScalingLimited"]).toBe("True ScaleUpLimit");
  });

  it("leaves a target asleep that somebody else put to sleep", () => {
    const step = stepHpa(initialHpaState, observe(0, [read("50")]));
    expect(step.decision).toMatchObject({ desiredReplicas: 0, rescale: false, proposals: [] });
    expect(conditionsOf(step)["ScalingActive"]).toBe("False ScalingDisabled");
  });

  it("stays asleep while the read fails", () => {
    const steps = sequence(spec(), 3, [read("0"), failed, failed, read("2")]);
    expect(path(steps)).toEqual([0, 0, 0, 2]);
  });

  it("wakes at the minimum when it was raised meanwhile", () => {
    const asleep = stepHpa(initialHpaState, observe(3, [read("0")])).state;
    const step = stepHpa(
      asleep,
      observe(0, [read("0")], { spec: spec({ minReplicas: 2 }), nowMs: startMs + 15_000 }),
    );
    expect(step.decision).toMatchObject({
      desiredReplicas: 2,
      rescaleReason: "Current number of replicas below Spec.MinReplicas",
    });
  });

  it("forgets the sleep when the gate is off", () => {
    const options = { ...defaultHpaControllerOptions, hasScaleToZero: false };
    const asleep = stepHpa(initialHpaState, observe(3, [read("0")])).state;
    const step = stepHpa(asleep, observe(0, [read("4")], { options }));
    expect(step.decision.desiredReplicas).toBe(0);
    expect(conditionsOf(step)).toEqual({
      AbleToScale: "True SucceededGetScale",
      ScalingActive: "False ScalingDisabled",
      ScalingLimited: "False DesiredWithinRange",
    });
  });
});

describe("stabilization", () => {
  const windows = (up: number, down: number) =>
    spec({
      behavior: {
        scaleUp: { ...immediate.scaleUp, stabilizationWindowSeconds: up },
        scaleDown: { ...immediate.scaleDown, stabilizationWindowSeconds: down },
      },
    });

  it("scales down to the highest recommendation of the window", () => {
    const steps = sequence(windows(0, 60), 10, values(8, 5, 3, 3, 3, 3));
    // The size found at the start counts as a recommendation, too; one exactly as old as the window no longer counts.
    expect(path(steps)).toEqual([10, 10, 10, 10, 5, 3]);
    expect(conditionsOf(steps[0]!)["AbleToScale"]).toBe("True ScaleDownStabilized");
    expect(conditionsOf(steps[5]!)["AbleToScale"]).toBe("True SucceededRescale");
  });

  it("scales up to the lowest recommendation of the window", () => {
    const steps = sequence(windows(30, 0), 2, values(9, 7, 8, 8));
    expect(path(steps)).toEqual([2, 2, 7, 8]);
    expect(conditionsOf(steps[0]!)["AbleToScale"]).toBe("True ScaleUpStabilized");
  });

  it("waits 5 minutes downwards by default", () => {
    const steps = sequence(spec({ behavior: {} }), 4, values(...Array<number>(22).fill(1)));
    expect(path(steps).indexOf(1)).toBe(20);
  });

  it("takes the controller's window when the HPA names none", () => {
    const options = { ...defaultHpaControllerOptions, downscaleStabilizationMs: 0 };
    const step = stepHpa(
      initialHpaState,
      observe(4, [read("1")], { spec: spec({ behavior: {} }), options }),
    );
    expect(step.decision.desiredReplicas).toBe(1);
  });

  it("keeps bounded memory", () => {
    const steps = sequence(windows(0, 60), 10, values(...Array<number>(200).fill(5)));
    expect(steps.at(-1)!.state.recommendations.length).toBeLessThanOrEqual(6);
  });
});

describe("policies", () => {
  const policies = (
    scaleUp: NonNullable<HorizontalPodAutoscalerSpec["behavior"]>["scaleUp"],
    scaleDown: NonNullable<HorizontalPodAutoscalerSpec["behavior"]>["scaleDown"],
  ) => spec({ behavior: { ...(scaleUp && { scaleUp }), ...(scaleDown && { scaleDown }) } });
  const pods = (value: number, periodSeconds: number) =>
    ({ type: "Pods", value, periodSeconds }) as const;
  const percent = (value: number, periodSeconds: number) =>
    ({ type: "Percent", value, periodSeconds }) as const;

  it("by default add 4 pods or 100 % every 15 s, whichever is more", () => {
    const steps = sequence(spec({ behavior: {} }), 1, values(50, 50, 50, 50, 50));
    expect(path(steps)).toEqual([5, 10, 20, 40, 50]);
    expect(conditionsOf(steps[0]!)["ScalingLimited"]).toBe("True ScaleUpLimit");
  });

  it("let no more through until the period has passed", () => {
    const steps = sequence(spec({ behavior: {} }), 1, values(6, 6, 6, 6), 5000);
    expect(path(steps)).toEqual([5, 5, 5, 6]);
  });

  it.each([
    ["Max takes the larger step", "Max", [6, 12, 24]],
    ["Min takes the smaller step", "Min", [4, 6, 8]],
    ["Disabled takes none", "Disabled", [2, 2, 2]],
  ] as const)("upwards, %s", (_rule, selectPolicy, expected) => {
    const rules = { selectPolicy, policies: [pods(2, 15), percent(200, 15)] };
    const hpa = policies(
      selectPolicy === "Max" ? { selectPolicy, policies: [pods(4, 15), percent(100, 15)] } : rules,
      undefined,
    );
    expect(path(sequence(hpa, 2, values(60, 60, 60)))).toEqual(expected);
  });

  it.each([
    ["Max takes the larger step", "Max", [50, 25, 12]],
    ["Min takes the smaller step", "Min", [95, 90, 85]],
    ["Disabled takes none", "Disabled", [100, 100, 100]],
  ] as const)("downwards, %s", (_rule, selectPolicy, expected) => {
    const hpa = policies(undefined, {
      stabilizationWindowSeconds: 0,
      selectPolicy,
      policies: [pods(5, 15), percent(50, 15)],
    });
    // Half of 25 is 12.5: scaling down truncates.
    expect(path(sequence(hpa, 100, values(1, 1, 1)))).toEqual(expected);
  });

  it("count over the longest period that is named", () => {
    const hpa = policies(
      { selectPolicy: "Min", policies: [pods(10, 15), pods(15, 60)] },
      undefined,
    );
    expect(path(sequence(hpa, 1, values(...Array<number>(6).fill(60))))).toEqual([
      11, 16, 16, 16, 26, 31,
    ]);
  });

  it("overflow as int32 does: so large a step stops all growth", () => {
    const hpa = policies({ policies: [pods(2 ** 31 - 1, 15)] }, undefined);
    expect(path(sequence(hpa, 1, values(60, 60)))).toEqual([1, 1]);
  });

  it("reuse the place of outdated events", () => {
    const reads = Array.from({ length: 100 }, (_, index) => read(index % 2 === 0 ? "9" : "3"));
    const steps = sequence(spec(), 5, reads);
    const { scaleUpEvents, scaleDownEvents } = steps.at(-1)!.state;
    expect([scaleUpEvents.length, scaleDownEvents.length]).toEqual([1, 1]);
  });
});

describe("an HPA without behavior", () => {
  const plain = { minReplicas: 0, maxReplicas: 100, metrics: [averageMetric("jobs")] };

  it("grows to at most twice the size, or 4", () => {
    expect(path(sequence(plain, 1, values(50, 50, 50, 50, 50)))).toEqual([4, 8, 16, 32, 50]);
  });

  it("shrinks to the highest recommendation of the controller's window", () => {
    const steps = sequence(plain, 4, values(...Array<number>(23).fill(1)));
    // One exactly as old as the window still counts here.
    expect(path(steps).indexOf(1)).toBe(20);
    expect(conditionsOf(steps[0]!)["AbleToScale"]).toBe("True ScaleDownStabilized");
  });

  it("keeps no events", () => {
    const steps = sequence(plain, 1, values(50, 50));
    expect(steps.at(-1)!.state).toMatchObject({ scaleUpEvents: [], scaleDownEvents: [] });
  });
});

describe("conditions", () => {
  it("keep the time of their last transition while the status stays", () => {
    const steps = sequence(spec(), 2, [read("5"), failed, failed, read("5")]);
    const times = steps.map(
      ({ decision }) =>
        decision.conditions.find(({ type }) => type === "ScalingActive")!.lastTransitionTimeMs -
        startMs,
    );
    expect(times).toEqual([0, 15_000, 15_000, 45_000]);
  });
});

const arbitraryRead = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 1000 }).map((n) => read(`${n}`)) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 99_999 }).map((n) => read(`${n}m`)) },
  {
    weight: 1,
    arbitrary: fc.array(fc.integer({ min: 0, max: 99 }).map(String)).map((v) => read(...v)),
  },
  { weight: 1, arbitrary: fc.string().map((text) => read(text)) },
  { weight: 2, arbitrary: fc.constant(failed) },
);
const arbitraryRules = fc.record(
  {
    stabilizationWindowSeconds: fc.integer({ min: 0, max: 120 }),
    selectPolicy: fc.constantFrom("Max" as const, "Min" as const, "Disabled" as const),
    policies: fc.array(
      fc.record({
        type: fc.constantFrom("Pods" as const, "Percent" as const),
        value: fc.integer({ min: 1, max: 200 }),
        periodSeconds: fc.integer({ min: 1, max: 120 }),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    tolerance: fc.constantFrom("0", "0.05", "200m"),
  },
  { requiredKeys: [] },
);
const arbitrarySpec = fc
  .record({
    bounds: fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 200 })),
    metricCount: fc.integer({ min: 1, max: 3 }),
    isValue: fc.boolean(),
    behavior: fc.option(fc.record({ scaleUp: arbitraryRules, scaleDown: arbitraryRules }), {
      nil: undefined,
    }),
  })
  .map(({ bounds: [minReplicas, extra], metricCount, isValue, behavior }) => ({
    minReplicas,
    maxReplicas: minReplicas + extra + 1,
    metrics: Array.from({ length: metricCount }, (_, index): ExternalMetricSpec => ({
      type: "External",
      external: {
        metric: { name: `metric-${index}` },
        target: isValue
          ? { type: "Value", value: "10" }
          : { type: "AverageValue", averageValue: "3" },
      },
    })),
    ...(behavior === undefined ? {} : { behavior }),
  }));
const arbitraryRun = fc.record({
  hpa: arbitrarySpec,
  start: fc.integer({ min: 0, max: 50 }),
  syncs: fc.array(
    fc.record({
      afterMs: fc.integer({ min: 1, max: 90_000 }),
      reads: fc.tuple(arbitraryRead, arbitraryRead, arbitraryRead),
    }),
    { minLength: 1, maxLength: 30 },
  ),
});

/** Calls `check` with each step of a random run and what went into it. */
function forEachStep(check: (step: HpaStep, observation: HpaObservation) => void): void {
  fc.assert(
    fc.property(arbitraryRun, ({ hpa, start, syncs }) => {
      let state = initialHpaState;
      let nowMs = startMs;
      let current = start;
      for (const sync of syncs) {
        nowMs += sync.afterMs;
        const reads = sync.reads.slice(0, hpa.metrics.length);
        const observation = observe(current, reads, { nowMs, spec: hpa });
        const step = stepHpa(state, observation);
        check(step, observation);
        state = step.state;
        current = step.decision.desiredReplicas;
      }
    }),
    { numRuns: 300 },
  );
}

describe("for any sequence of reads", () => {
  it("the size stays within the bounds, or asleep", () => {
    forEachStep(({ decision }, { spec: hpa }) => {
      const { desiredReplicas } = decision;
      if (desiredReplicas === 0) return;
      expect(desiredReplicas).toBeGreaterThanOrEqual(hpa.minReplicas ?? 1);
      expect(desiredReplicas).toBeLessThanOrEqual(hpa.maxReplicas);
      expect(Number.isInteger(desiredReplicas)).toBe(true);
    });
  });

  it("no metric that fails lets the size shrink, except from above the maximum", () => {
    forEachStep(({ decision }, { spec: hpa }) => {
      const hasFailure = decision.proposals.some(({ outcome }) => outcome === "failed");
      if (!hasFailure || decision.currentReplicas > hpa.maxReplicas) return;
      expect(decision.desiredReplicas).toBeGreaterThanOrEqual(decision.currentReplicas);
    });
  });

  it("nothing moves when every metric fails", () => {
    forEachStep(({ decision }) => {
      if (decision.proposals.length === 0) return;
      if (decision.proposals.every(({ outcome }) => outcome === "failed"))
        expect(decision.rescale).toBe(false);
    });
  });

  it("the size changes exactly when it says so", () => {
    forEachStep(({ decision }) => {
      expect(decision.rescale).toBe(decision.desiredReplicas !== decision.currentReplicas);
    });
  });

  it("a target at 0 wakes only after this HPA put it there", () => {
    forEachStep(({ decision }, { scale }) => {
      if (scale.specReplicas !== 0 || !decision.rescale) return;
      expect(decision.conditions).toContainEqual(
        expect.objectContaining({ type: "ScaledToZero", status: "False" }),
      );
    });
  });

  it("state is plain JSON and the same input gives the same result", () => {
    forEachStep((step, observation) => {
      expect(JSON.parse(JSON.stringify(step.state))).toEqual(step.state);
      const again = stepHpa(step.state, observation);
      expect(stepHpa(JSON.parse(JSON.stringify(step.state)) as HpaState, observation)).toEqual(
        again,
      );
    });
  });

  it("a larger value never asks for fewer replicas", () => {
    fc.assert(
      fc.property(
        arbitrarySpec,
        fc.tuple(fc.integer({ min: 0, max: 100_000 }), fc.integer({ min: 0, max: 100_000 })),
        fc.integer({ min: 1, max: 50 }),
        (hpa, [a, b], current) => {
          const ask = (milli: number) =>
            stepHpa(
              initialHpaState,
              observe(
                current,
                hpa.metrics.map(() => read(`${milli}m`)),
                { spec: hpa },
              ),
            ).decision.desiredReplicas;
          expect(ask(Math.min(a, b))).toBeLessThanOrEqual(ask(Math.max(a, b)));
        },
      ),
      { numRuns: 500 },
    );
  });
});
