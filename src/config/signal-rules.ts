import type { Compilation } from "../signals/program.ts";
import type { InputType } from "../signals/environment.ts";
import { sourceTypes } from "../sources/registry.ts";
import type { Problem } from "./diagnostics.ts";
import { errorAt } from "./diagnostics.ts";
import type { FilePart } from "./file-part.ts";
import { inputProblems, inputsOf, writtenSources } from "./input-rules.ts";
import type { KnownConnections } from "./input-rules.ts";
import { metricConflicts, metricProblems } from "./metric-rules.ts";
import { notUsedYet } from "./not-used-yet.ts";
import { parseQuantity } from "./quantity.ts";
import type { InputConfig, SignalConfig } from "./schema.ts";

/** Type-checks an expression against the inputs it may name; `signals/program.ts` has the real one. */
export type CompileExpression = (expression: string, inputs: readonly InputType[]) => Compilation;

/** Everything about signals that their schema cannot tell. Each rule looks at what it needs, whether or not the rest is acceptable. */
export function signalProblems(
  signals: readonly FilePart<SignalConfig>[],
  connections: KnownConnections,
  compile: CompileExpression,
): readonly Problem[] {
  return [
    ...duplicateSignals(signals),
    ...metricConflicts(signals),
    ...signals.flatMap((signal) => [
      ...metricProblems(signal),
      ...inputProblems(signal, connections),
      ...quantityProblems(signal),
      ...expressionProblems(signal, compile),
      ...workloadProblems(signal),
    ]),
  ];
}

function duplicateSignals(signals: readonly FilePart<SignalConfig>[]): readonly Problem[] {
  const seen = new Set<string>();
  return signals.flatMap((signal) => {
    const namespace = signal.at("metadata").at("namespace").value;
    const { path, value: name } = signal.at("metadata").at("name");
    if (namespace === undefined || name === undefined) return [];
    const key = `${namespace}/${name}`;
    if (seen.has(key)) return [errorAt(path, `another signal is "${key}" already`)];
    seen.add(key);
    return [];
  });
}

/** A place where a Quantity may stand. */
type QuantityPart = FilePart<string | number | undefined>;

function quantityProblems(signal: FilePart<SignalConfig>): readonly Problem[] {
  const minimum = signal.at("spec").at("modifiers").at("minimum");
  const maximum = signal.at("spec").at("modifiers").at("maximum");
  const substitute = signal.at("spec").at("onUnavailable").at("value");
  return [...[minimum, maximum, substitute].flatMap(unreadable), ...emptyRange(minimum, maximum)];
}

/** The number behind a Quantity of the file; undefined when there is none. */
function quantity({ value }: QuantityPart): number | undefined {
  return value === undefined ? undefined : parseQuantity(String(value));
}

function unreadable(part: QuantityPart): readonly Problem[] {
  const { path, value } = part;
  if (value === undefined || quantity(part) !== undefined) return [];
  const allowed = 'a Quantity of 0 or more that an HPA can decode, e.g. 3, "1500m", "2k"';
  const found = JSON.stringify(String(value));
  const message = `expected ${allowed}; found ${found}`;
  return [{ severity: "error", path, message, found, allowed }];
}

function emptyRange(minimum: QuantityPart, maximum: QuantityPart): readonly Problem[] {
  const [low, high] = [quantity(minimum), quantity(maximum)];
  if (low === undefined || high === undefined || low <= high) return [];
  const message = `minimum ${String(minimum.value)} is above maximum ${String(maximum.value)}`;
  return [errorAt(minimum.path, message)];
}

function expressionProblems(
  signal: FilePart<SignalConfig>,
  compile: CompileExpression,
): readonly Problem[] {
  const { path, value: expression } = signal.at("spec").at("value").at("expression");
  if (expression === undefined) return [];
  const inputs = inputsOf(signal);
  const known = inputs.flatMap((input) => inputType(input) ?? []);
  const result = compile(expression, known);
  if (result.status === "rejected") {
    // A name that stands for none of the inputs may be that of one that was refused.
    const areAllKnown = known.length === inputs.length && known.length > 0;
    return result.errors
      .filter(({ unknownInput }) => areAllKnown || unknownInput === undefined)
      .map(({ message, offset }) => ({ ...errorAt(path, message), offset }));
  }
  const read = new Set(result.program.reads.map(({ input }) => input));
  return inputs.flatMap((input) => unusedInput(input, read));
}

/** What an expression may read of an input; undefined when its name or its source is not known. */
function inputType(input: FilePart<InputConfig>): InputType | undefined {
  const { value: name } = input.at("name");
  const [typeName, ...others] = writtenSources(input);
  if (name === undefined || typeName === undefined || others.length > 0) return undefined;
  return { name, fields: sourceTypes[typeName].fields };
}

function unusedInput(input: FilePart<InputConfig>, read: ReadonlySet<string>): readonly Problem[] {
  const { path, value: name } = input.at("name");
  if (name === undefined || read.has(name)) return [];
  const message = `the expression does not use input "${name}", and yet has no value while it is not fresh`;
  return [{ severity: "warning", path, message }];
}

function workloadProblems(signal: FilePart<SignalConfig>): readonly Problem[] {
  const workload = signal.at("spec").at("workloadRef");
  if (workload.raw === undefined) return [];
  return [notUsedYet(workload, "expressions cannot read workload.*")];
}
