import { describe, expect, it } from "vitest";
import { SourceError } from "../../../src/model/source-error.ts";
import { emptySignalState } from "../../../src/signals/evaluator.ts";
import { compileSignal } from "../../../src/signals/signal-compiler.ts";
import type { Fields } from "../../../src/model/reading.ts";
import type { Evaluation } from "../../../src/signals/evaluation.ts";
import type { SignalEvaluator, SignalState } from "../../../src/signals/evaluator.ts";
import type { SignalDefinition } from "../../../src/signals/signal.ts";
import type { Freshness } from "../../../src/store/freshness.ts";
import { inputDefinition, signalDefinition } from "./definitions.ts";

const startMs = Date.UTC(2026, 0, 1);
const at = { wallMs: startMs + 100_000, monotonicMs: 100_000 };
const description = 'bullmq queue "orders" on connection "events"';
const subject = { name: "jobs", description, maxAgeMs: 18_000 };

function evaluatorOf(changes: Partial<SignalDefinition> = {}): SignalEvaluator {
  const compilation = compileSignal(signalDefinition(changes));
  if (compilation.status === "rejected") throw new Error(JSON.stringify(compilation.errors));
  return compilation.evaluator;
}

function readingAt(monotonicMs: number, fields: Fields) {
  return { timestampMs: startMs + monotonicMs, monotonicMs, fields };
}

function fresh(fields: Fields, ageMs = 2_000): Extract<Freshness, { status: "fresh" }> {
  return { status: "fresh", reading: readingAt(at.monotonicMs - ageMs, fields), ageMs };
}

function failed(code: "NotFound" | "Unavailable", ageMs: number): Freshness {
  const error = new SourceError(code, `connection "events": ${code}`);
  const failure = { error, monotonicMs: at.monotonicMs - ageMs };
  return { status: "failed", failure, ...(code === "NotFound" && { absence: failure }) };
}

const held: SignalState = {
  lastAvailable: { value: 7, timestampMs: startMs + 60_000, freshUntilMonotonicMs: 78_000 },
};

interface Case {
  readonly definition?: Partial<SignalDefinition>;
  readonly state?: SignalState;
  readonly inputs: readonly Freshness[];
  readonly expected: Evaluation;
}

const staleTrace = {
  ...subject,
  status: "stale",
  fields: { waiting: 5 },
  timestampMs: startMs - 212_000,
  ageMs: 312_000,
} as const;
const stale: Freshness = {
  status: "stale",
  reading: readingAt(-212_000, { waiting: 5 }),
  ageMs: 312_000,
};
const staleReason = `input "jobs" (${description}): last sample 312 s old, limit 18 s`;

const cases: Readonly<Record<string, Case>> = {
  "serves the value with the reading's own instant": {
    inputs: [fresh({ waiting: 5 })],
    expected: {
      outcome: {
        status: "available",
        value: 5,
        timestampMs: startMs + 98_000,
        validUntilMonotonicMs: 116_000,
      },
      evaluatedAt: at,
      inputs: [
        {
          ...subject,
          status: "fresh",
          fields: { waiting: 5 },
          timestampMs: startMs + 98_000,
          ageMs: 2_000,
        },
      ],
      steps: [
        {
          name: "expression",
          text: "jobs.waiting",
          terms: [{ name: "jobs.waiting", value: 5 }],
          value: 5,
          hasActed: true,
        },
      ],
    },
  },
  "takes the oldest input's instant and the first limit to be reached": {
    definition: {
      inputs: [
        inputDefinition(),
        inputDefinition({
          name: "gpu",
          queryKey: "gpus/util",
          maxAgeMs: 90_000,
          fields: ["value"],
        }),
      ],
      value: { expression: "jobs.waiting * gpu.value" },
      modifiers: { minimum: 1, maximum: 2 },
    },
    inputs: [fresh({ waiting: 8 }), fresh({ value: 0.5 }, 60_000)],
    expected: {
      outcome: {
        status: "available",
        value: 2,
        timestampMs: startMs + 40_000,
        validUntilMonotonicMs: 116_000,
      },
      evaluatedAt: at,
      inputs: [
        {
          ...subject,
          status: "fresh",
          fields: { waiting: 8 },
          timestampMs: startMs + 98_000,
          ageMs: 2_000,
        },
        {
          ...{ name: "gpu", description, maxAgeMs: 90_000, status: "fresh" },
          fields: { value: 0.5 },
          timestampMs: startMs + 40_000,
          ageMs: 60_000,
        },
      ],
      steps: [
        {
          name: "expression",
          text: "jobs.waiting * gpu.value",
          terms: [
            { name: "jobs.waiting", value: 8 },
            { name: "gpu.value", value: 0.5 },
          ],
          value: 4,
          hasActed: true,
        },
        { name: "minimum", terms: [{ name: "bound", value: 1 }], value: 4, hasActed: false },
        { name: "maximum", terms: [{ name: "bound", value: 2 }], value: 2, hasActed: true },
      ],
    },
  },
  "shows a failed try beside a reading that is still fresh": {
    inputs: [
      {
        ...fresh({ waiting: 5 }),
        lastFailure: {
          error: new SourceError("Unavailable", 'connection "events": refused'),
          monotonicMs: 99_000,
        },
      },
    ],
    expected: {
      outcome: {
        status: "available",
        value: 5,
        timestampMs: startMs + 98_000,
        validUntilMonotonicMs: 116_000,
      },
      evaluatedAt: at,
      inputs: [
        {
          ...subject,
          status: "fresh",
          fields: { waiting: 5 },
          timestampMs: startMs + 98_000,
          ageMs: 2_000,
          lastError: {
            code: "Unavailable",
            message: 'connection "events": refused',
            ageMs: 1_000,
          },
        },
      ],
      steps: [
        {
          name: "expression",
          text: "jobs.waiting",
          terms: [{ name: "jobs.waiting", value: 5 }],
          value: 5,
          hasActed: true,
        },
      ],
    },
  },
  "is unavailable when the reading is stale": {
    inputs: [stale],
    expected: {
      outcome: {
        status: "unavailable",
        code: "InputStale",
        reason: staleReason,
        validUntilMonotonicMs: 101_000,
      },
      evaluatedAt: at,
      inputs: [staleTrace],
      steps: [],
    },
  },
  "is unavailable when no try has ended, even where the expression does not read the input": {
    definition: {
      inputs: [inputDefinition(), inputDefinition({ name: "gpu", fields: ["value"] })],
    },
    inputs: [fresh({ waiting: 5 }), { status: "missing" }],
    expected: {
      outcome: {
        status: "unavailable",
        code: "InputMissing",
        reason: `input "gpu" (${description}): no sample yet`,
        validUntilMonotonicMs: 101_000,
      },
      evaluatedAt: at,
      inputs: [
        {
          ...subject,
          status: "fresh",
          fields: { waiting: 5 },
          timestampMs: startMs + 98_000,
          ageMs: 2_000,
        },
        { name: "gpu", description, maxAgeMs: 18_000, status: "missing" },
      ],
      steps: [],
    },
  },
  "names the last error when the tries fail": {
    inputs: [failed("Unavailable", 1_500)],
    expected: {
      outcome: {
        status: "unavailable",
        code: "InputFailed",
        reason: `input "jobs" (${description}): no sample yet; last error: connection "events": Unavailable`,
        validUntilMonotonicMs: 101_000,
      },
      evaluatedAt: at,
      inputs: [
        {
          ...subject,
          status: "failed",
          lastError: {
            code: "Unavailable",
            message: 'connection "events": Unavailable',
            ageMs: 1_500,
          },
        },
      ],
      steps: [],
    },
  },
  "takes the allowed fields for a queue that does not exist": {
    definition: { inputs: [inputDefinition({ missingFields: { waiting: 0, active: 0 } })] },
    inputs: [failed("NotFound", 3_000)],
    expected: {
      outcome: {
        status: "available",
        value: 0,
        timestampMs: startMs + 97_000,
        validUntilMonotonicMs: 115_000,
      },
      evaluatedAt: at,
      inputs: [
        {
          ...subject,
          status: "allowedMissing",
          fields: { waiting: 0, active: 0 },
          timestampMs: startMs + 97_000,
          ageMs: 3_000,
          lastError: { code: "NotFound", message: 'connection "events": NotFound', ageMs: 3_000 },
        },
      ],
      steps: [
        {
          name: "expression",
          text: "jobs.waiting",
          terms: [{ name: "jobs.waiting", value: 0 }],
          value: 0,
          hasActed: true,
        },
      ],
    },
  },
  "takes no allowed fields from a finding beyond the age limit": {
    definition: { inputs: [inputDefinition({ missingFields: { waiting: 0, active: 0 } })] },
    inputs: [failed("NotFound", 18_001)],
    expected: {
      outcome: {
        status: "unavailable",
        code: "InputFailed",
        reason: `input "jobs" (${description}): no sample yet; last error: connection "events": NotFound`,
        validUntilMonotonicMs: 101_000,
      },
      evaluatedAt: at,
      inputs: [
        {
          ...subject,
          status: "failed",
          lastError: { code: "NotFound", message: 'connection "events": NotFound', ageMs: 18_001 },
        },
      ],
      steps: [],
    },
  },
  "takes no allowed fields for another failure": {
    definition: { inputs: [inputDefinition({ missingFields: { waiting: 0, active: 0 } })] },
    inputs: [failed("Unavailable", 1_000)],
    expected: {
      outcome: {
        status: "unavailable",
        code: "InputFailed",
        reason: `input "jobs" (${description}): no sample yet; last error: connection "events": Unavailable`,
        validUntilMonotonicMs: 101_000,
      },
      evaluatedAt: at,
      inputs: [
        {
          ...subject,
          status: "failed",
          lastError: {
            code: "Unavailable",
            message: 'connection "events": Unavailable',
            ageMs: 1_000,
          },
        },
      ],
      steps: [],
    },
  },
  "is unavailable when the reading lacks the field": {
    inputs: [fresh({ active: 1 })],
    expected: {
      outcome: {
        status: "unavailable",
        code: "ValueError",
        reason: "jobs.waiting is absent, and not guarded by has(jobs.waiting)",
        validUntilMonotonicMs: 101_000,
      },
      evaluatedAt: at,
      inputs: [
        {
          ...subject,
          status: "fresh",
          fields: { active: 1 },
          timestampMs: startMs + 98_000,
          ageMs: 2_000,
        },
      ],
      steps: [
        {
          name: "expression",
          text: "jobs.waiting",
          terms: [],
          error: "jobs.waiting is absent, and not guarded by has(jobs.waiting)",
          hasActed: true,
        },
      ],
    },
  },
  "puts no minimum in the place of a value that cannot be computed": {
    definition: { modifiers: { minimum: 3 } },
    inputs: [stale],
    expected: {
      outcome: {
        status: "unavailable",
        code: "InputStale",
        reason: staleReason,
        validUntilMonotonicMs: 101_000,
      },
      evaluatedAt: at,
      inputs: [staleTrace],
      steps: [],
    },
  },
  "holds the last available value with its own instant": {
    definition: { onUnavailable: { policy: "Hold", holdMs: 60_000 } },
    state: held,
    inputs: [stale],
    expected: {
      outcome: {
        status: "substituted",
        policy: "Hold",
        value: 7,
        timestampMs: startMs + 60_000,
        code: "InputStale",
        reason: staleReason,
        validUntilMonotonicMs: 101_000,
      },
      evaluatedAt: at,
      inputs: [staleTrace],
      steps: [],
    },
  },
  "lets go of the held value when its time is over": {
    definition: { onUnavailable: { policy: "Hold", holdMs: 22_000 } },
    state: held,
    inputs: [stale],
    expected: {
      outcome: {
        status: "unavailable",
        code: "InputStale",
        reason: staleReason,
        validUntilMonotonicMs: 101_000,
      },
      evaluatedAt: at,
      inputs: [staleTrace],
      steps: [],
    },
  },
  "has nothing to hold before the first value": {
    definition: { onUnavailable: { policy: "Hold", holdMs: 60_000 } },
    inputs: [stale],
    expected: {
      outcome: {
        status: "unavailable",
        code: "InputStale",
        reason: staleReason,
        validUntilMonotonicMs: 101_000,
      },
      evaluatedAt: at,
      inputs: [staleTrace],
      steps: [],
    },
  },
  "serves the stated value as it is, without modifiers": {
    definition: {
      modifiers: { maximum: 2 },
      onUnavailable: { policy: "Value", value: 3 },
    },
    inputs: [stale],
    expected: {
      outcome: {
        status: "substituted",
        policy: "Value",
        value: 3,
        timestampMs: startMs + 100_000,
        code: "InputStale",
        reason: staleReason,
        validUntilMonotonicMs: 101_000,
      },
      evaluatedAt: at,
      inputs: [staleTrace],
      steps: [],
    },
  },
};

describe("SignalEvaluator", () => {
  it.each(Object.entries(cases))("%s", (_name, { definition, state, inputs, expected }) => {
    const { evaluation } = evaluatorOf(definition).evaluate(state ?? emptySignalState, {
      at,
      inputs,
    });
    expect(evaluation).toStrictEqual(expected);
  });

  it("remembers an available value and forgets nothing while there is none", () => {
    const evaluator = evaluatorOf();
    const first = evaluator.evaluate(emptySignalState, { at, inputs: [fresh({ waiting: 5 })] });
    expect(first.state).toStrictEqual({
      lastAvailable: {
        value: 5,
        timestampMs: startMs + 98_000,
        freshUntilMonotonicMs: 116_000,
      },
    });
    const second = evaluator.evaluate(first.state, { at, inputs: [{ status: "missing" }] });
    expect(second.state).toStrictEqual(first.state);
  });

  it("names every input that prevents the value", () => {
    const evaluator = evaluatorOf({
      inputs: [inputDefinition(), inputDefinition({ name: "gpu", description: "dcgm util" })],
    });
    const { evaluation } = evaluator.evaluate(emptySignalState, { at, inputs: [stale] });
    expect(evaluation.outcome).toStrictEqual({
      status: "unavailable",
      code: "InputStale",
      reason: `${staleReason}; input "gpu" (dcgm util): no sample yet`,
      validUntilMonotonicMs: 101_000,
    });
  });
});

describe("compileSignal", () => {
  it("finds everything that is wrong at once, each with its place", () => {
    const definition = signalDefinition({
      inputs: [inputDefinition(), inputDefinition()],
      value: { expression: "jobs.depth / 2" },
      modifiers: { minimum: 5, maximum: -1 },
      onUnavailable: { policy: "Value", value: NaN },
    });
    expect(compileSignal(definition)).toStrictEqual({
      status: "rejected",
      errors: [
        { path: ["inputs"], message: 'two inputs are named "jobs"' },
        {
          path: ["value", "expression"],
          message: 'input "jobs" has no field "depth"; its fields: waiting, active',
          offset: 5,
        },
        { path: ["modifiers", "maximum"], message: "-1 is not a number of 0 or more" },
        { path: ["modifiers", "minimum"], message: "minimum 5 is above maximum -1" },
        { path: ["onUnavailable", "value"], message: "NaN is not a number of 0 or more" },
      ],
    });
  });

  it.each([
    ["no input", { inputs: [], value: { expression: "1" } }, "there is no input"],
    [
      "no time to hold",
      { onUnavailable: { policy: "Hold", holdMs: 0 } },
      "the time is not above 0",
    ],
  ] as const)("rejects %s", (_name, changes, message) => {
    const compilation = compileSignal(signalDefinition(changes));
    const errors = compilation.status === "rejected" ? compilation.errors : [];
    expect(errors.map((error) => error.message)).toStrictEqual([message]);
  });
});
