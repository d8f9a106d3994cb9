import type { EvaluationStep } from "./evaluation.ts";
import type { ModifiersDefinition } from "./signal.ts";

/** One modifier: its bound for this signal, undefined when it is not set, and the rule. */
interface Modifier {
  readonly name: keyof ModifiersDefinition;
  readonly apply: (value: number, bound: number) => number;
}

/** The modifiers in the one order in which they apply: the last word is `maximum`'s. */
const modifiers: readonly Modifier[] = [
  { name: "minimum", apply: Math.max },
  { name: "maximum", apply: Math.min },
];

/** Applies the modifiers that are set, and tells what each did. The steps are in order; without any the value is the one given. */
export function applyModifiers(
  computed: number,
  definition: ModifiersDefinition,
): { readonly value: number; readonly steps: readonly EvaluationStep[] } {
  const steps: EvaluationStep[] = [];
  let value = computed;
  for (const { name, apply } of modifiers) {
    const bound = definition[name];
    if (bound === undefined) continue;
    const before = value;
    value = apply(before, bound);
    const terms = [{ name: "bound", value: bound }];
    steps.push({ name, terms, value, hasActed: value !== before });
  }
  return { value, steps };
}
