import type { Compilation } from "../signals/program.ts";
import type { InputType } from "../signals/environment.ts";
import type { ConfigPath, Problem } from "./diagnostics.ts";
import { errorAt } from "./diagnostics.ts";
import type { ParsedSection } from "./file-section.ts";
import { inputProblems } from "./input-rules.ts";
import type { KnownConnections } from "./input-rules.ts";
import { sourceOf } from "./input-plan.ts";
import { metricConflicts, metricProblems } from "./metric-rules.ts";
import { parseQuantity } from "./quantity.ts";
import type { SignalConfig } from "./schema.ts";

/** Type-checks an expression against the inputs it may name; `signals/program.ts` has the real one. */
export type CompileExpression = (expression: string, inputs: readonly InputType[]) => Compilation;

/** Everything about signals that their schema cannot tell. */
export function signalProblems(
  sections: readonly ParsedSection<SignalConfig>[],
  connections: KnownConnections,
  compile: CompileExpression,
): readonly Problem[] {
  return [
    ...duplicateSignals(sections),
    ...metricConflicts(sections),
    ...sections.flatMap((section) => [
      ...metricProblems(section),
      ...inputProblems(section, connections),
      ...quantityProblems(section),
      ...expressionProblems(section, compile),
      ...workloadProblems(section),
    ]),
  ];
}

function duplicateSignals(sections: readonly ParsedSection<SignalConfig>[]): readonly Problem[] {
  const seen = new Set<string>();
  return sections.flatMap(({ path, config }) => {
    const key = `${config.metadata.namespace}/${config.metadata.name}`;
    if (!seen.has(key)) {
      seen.add(key);
      return [];
    }
    return [errorAt([...path, "metadata", "name"], `another signal is "${key}" already`)];
  });
}

function quantityProblems({ path, config }: ParsedSection<SignalConfig>): readonly Problem[] {
  const { modifiers, onUnavailable } = config.spec;
  const at = (...below: ConfigPath): ConfigPath => [...path, "spec", ...below];
  const minimum = quantity(modifiers.minimum);
  const maximum = quantity(modifiers.maximum);
  const problems = [
    ...unreadable(at("modifiers", "minimum"), minimum),
    ...unreadable(at("modifiers", "maximum"), maximum),
    ...unreadable(at("onUnavailable", "value"), quantity(onUnavailable.value)),
  ];
  if (typeof minimum === "number" && typeof maximum === "number" && minimum > maximum) {
    const message = `minimum ${String(modifiers.minimum)} is above maximum ${String(modifiers.maximum)}`;
    problems.push(errorAt(at("modifiers", "minimum"), message));
  }
  return problems;
}

/** The number behind a Quantity of the file; the text itself when it is none. */
function quantity(written: string | number | undefined): number | string | undefined {
  if (written === undefined) return undefined;
  return parseQuantity(String(written)) ?? String(written);
}

function unreadable(path: ConfigPath, value: string | number | undefined): readonly Problem[] {
  if (typeof value !== "string") return [];
  const allowed = 'a Quantity of 0 or more that an HPA can decode, e.g. 3, "1500m", "2k"';
  const found = JSON.stringify(value);
  const message = `expected ${allowed}; found ${found}`;
  return [{ severity: "error", path, message, found, allowed }];
}

function expressionProblems(
  { path, config }: ParsedSection<SignalConfig>,
  compile: CompileExpression,
): readonly Problem[] {
  const { expression } = config.spec.value;
  if (expression === undefined) return [];
  const inputs = config.spec.inputs.map((input) => {
    const fields = sourceOf(input)?.type.fields ?? [];
    return { name: input.name, fields };
  });
  const result = compile(expression, inputs);
  const expressionPath = [...path, "spec", "value", "expression"];
  if (result.status === "rejected") {
    return result.errors.map(({ message, offset }) => ({
      ...errorAt(expressionPath, message),
      offset,
    }));
  }
  const read = new Set(result.program.reads.map(({ input }) => input));
  return config.spec.inputs.flatMap(({ name }, index) => {
    if (read.has(name)) return [];
    const message = `the expression does not use input "${name}", and yet has no value while it is not fresh`;
    const inputPath = [...path, "spec", "inputs", index, "name"];
    return [{ severity: "warning", path: inputPath, message } satisfies Problem];
  });
}

function workloadProblems({ path, config }: ParsedSection<SignalConfig>): readonly Problem[] {
  if (config.spec.workloadRef === undefined) return [];
  const message = "accepted, but not used yet: expressions cannot read workload.*";
  const workloadPath = [...path, "spec", "workloadRef"];
  return [{ severity: "warning", path: workloadPath, target: "key", message }];
}
