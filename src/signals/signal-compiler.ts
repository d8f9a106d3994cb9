import { createSignalEvaluator } from "./evaluator.ts";
import { compileExpression } from "./program.ts";
import type { SignalEvaluator } from "./evaluator.ts";
import type { ModifiersDefinition, OnUnavailable, SignalDefinition } from "./signal.ts";

/** A finding in a definition: where in the signal's `spec`, and for an expression at which offset in its text. */
export interface SignalError {
  readonly path: readonly string[];
  readonly message: string;
  readonly offset?: number;
}

/** A definition as accepted, or everything that is wrong with it. */
export type SignalCompilation =
  | { readonly status: "compiled"; readonly evaluator: SignalEvaluator }
  | { readonly status: "rejected"; readonly errors: readonly SignalError[] };

/** Checks what a definition means and makes it ready to be evaluated. Never throws. */
export function compileSignal(definition: SignalDefinition): SignalCompilation {
  const { inputs, value, modifiers, onUnavailable } = definition;
  const compilation = compileExpression(value.expression, inputs);
  const errors: SignalError[] = [
    ...inputErrors(definition),
    ...(compilation.status === "rejected" ? compilation.errors : []).map((error) => ({
      path: ["value", "expression"],
      ...error,
    })),
    ...modifierErrors(modifiers),
    ...onUnavailableErrors(onUnavailable),
  ];
  if (compilation.status === "rejected" || errors.length > 0) return { status: "rejected", errors };
  return { status: "compiled", evaluator: createSignalEvaluator(definition, compilation.program) };
}

function inputErrors({ inputs }: SignalDefinition): readonly SignalError[] {
  if (inputs.length === 0) return [{ path: ["inputs"], message: "there is no input" }];
  const names = inputs.map(({ name }) => name);
  const repeated = new Set(names.filter((name, index) => names.indexOf(name) !== index));
  return [...repeated].map((name) => ({
    path: ["inputs"],
    message: `two inputs are named "${name}"`,
  }));
}

function modifierErrors({ minimum, maximum }: ModifiersDefinition): readonly SignalError[] {
  const errors: SignalError[] = [];
  for (const [name, bound] of Object.entries({ minimum, maximum })) {
    if (bound === undefined || isServable(bound)) continue;
    errors.push({ path: ["modifiers", name], message: `${bound} is not a number of 0 or more` });
  }
  if (minimum !== undefined && maximum !== undefined && minimum > maximum) {
    const message = `minimum ${minimum} is above maximum ${maximum}`;
    errors.push({ path: ["modifiers", "minimum"], message });
  }
  return errors;
}

function onUnavailableErrors(policy: OnUnavailable): readonly SignalError[] {
  if (policy.policy === "Value" && !isServable(policy.value)) {
    const message = `${policy.value} is not a number of 0 or more`;
    return [{ path: ["onUnavailable", "value"], message }];
  }
  if (policy.policy === "Hold" && !(policy.holdMs > 0 && Number.isFinite(policy.holdMs))) {
    return [{ path: ["onUnavailable", "holdSeconds"], message: "the time is not above 0" }];
  }
  return [];
}

/** Whether a number may ever be served as a metric. */
function isServable(value: number): boolean {
  return Number.isFinite(value) && value >= 0;
}
