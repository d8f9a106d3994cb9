import { activationFromInputs, observeInput } from "./activation.ts";
import { applyModifiers } from "./modifiers.ts";
import { outcomeOnUnavailable } from "./on-unavailable.ts";
import type { Freshness } from "../store/freshness.ts";
import type { Activation } from "./environment.ts";
import type {
  Evaluation,
  EvaluationStep,
  Instant,
  StepTerm,
  Unavailability,
} from "./evaluation.ts";
import type { LastAvailable } from "./on-unavailable.ts";
import type { Program } from "./program.ts";
import type { SignalDefinition } from "./signal.ts";

/**
 * What a signal remembers from one evaluation to the next: plain JSON, whole at any instant. Monotonic instants in it are those of this process.
 */
export interface SignalState {
  /** Absent until the signal has been available once. */
  readonly lastAvailable?: LastAvailable;
}

/** What is known at one instant about everything that the signal reads. */
export interface Observation {
  readonly at: Instant;
  /** In the order of the definition's inputs; what is left out counts as missing. */
  readonly inputs: readonly Freshness[];
}

/** One signal, ready to be evaluated. */
export interface SignalEvaluator {
  readonly definition: SignalDefinition;
  /** The signal's step. Pure and deterministic: the same state and observation give the same result. Never throws. */
  evaluate(
    state: SignalState,
    observation: Observation,
  ): { readonly state: SignalState; readonly evaluation: Evaluation };
}

/** The state of a signal that has never been evaluated. */
export const emptySignalState: SignalState = {};

/** Joins an accepted definition and its compiled value to the step of the signal. */
export function createSignalEvaluator(
  definition: SignalDefinition,
  program: Program,
): SignalEvaluator {
  return {
    definition,
    evaluate: (state, { at, inputs }) => {
      const observed = definition.inputs.map((input, index) =>
        observeInput(input, inputs[index] ?? { status: "missing" }, at),
      );
      const traces = observed.map(({ trace }) => trace);
      const ready = activationFromInputs(observed);
      const unavailable = (reason: Unavailability, steps: readonly EvaluationStep[]) => ({
        state,
        evaluation: {
          outcome: outcomeOnUnavailable(definition.onUnavailable, reason, state.lastAvailable, at),
          evaluatedAt: at,
          inputs: traces,
          steps,
        },
      });
      if (ready.status === "prevented") return unavailable(ready, []);
      const { value, error, steps } = compute(definition, program, ready.activation);
      if (value === undefined) return unavailable({ code: "ValueError", reason: error }, steps);
      const { timestampMs, validUntilMonotonicMs } = ready;
      return {
        state: {
          lastAvailable: { value, timestampMs, freshUntilMonotonicMs: validUntilMonotonicMs },
        },
        evaluation: {
          outcome: { status: "available", value, timestampMs, validUntilMonotonicMs },
          evaluatedAt: at,
          inputs: traces,
          steps,
        },
      };
    },
  };
}

/** What the value's own computation and the modifiers made of the inputs: a value, or why there is none. */
type Computation = { readonly steps: readonly EvaluationStep[] } & (
  | { readonly value: number; readonly error?: never }
  | { readonly value?: never; readonly error: string }
);

function compute(
  definition: SignalDefinition,
  program: Program,
  activation: Activation,
): Computation {
  const computed = program.evaluate(activation);
  const step = {
    name: "expression",
    text: program.expression,
    terms: termsOf(program, activation),
    hasActed: true,
  };
  if (computed.status === "error") {
    return { error: computed.reason, steps: [{ ...step, error: computed.reason }] };
  }
  const { value, steps } = applyModifiers(computed.value, definition.modifiers);
  return { value, steps: [{ ...step, value: computed.value }, ...steps] };
}

/** The fields that the expression names, as far as the readings carry them. */
function termsOf(program: Program, activation: Activation): readonly StepTerm[] {
  const terms: StepTerm[] = [];
  for (const { input, field } of program.reads) {
    const value = activation[input]?.[field];
    if (value !== undefined) terms.push({ name: `${input}.${field}`, value });
  }
  return terms;
}
