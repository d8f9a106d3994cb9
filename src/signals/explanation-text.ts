import { canonicalLabels } from "../model/labels.ts";
import type { EvaluationStep } from "./evaluation.ts";
import type { ExplainedInput, SignalExplanation } from "./explain.ts";

/** An explanation as lines for a person: the answer first, then what it was made of. No line ends with a line break. */
export function explanationLines(explanation: SignalExplanation): readonly string[] {
  const { namespace, name, metricName, metricLabels, evaluatedAt, inputs, steps } = explanation;
  const labels = canonicalLabels(metricLabels);
  const metric = labels === "" ? metricName : `${metricName}{${labels}}`;
  return [
    `${namespace}/${name}: ${answerText(explanation)}`,
    `  metric     ${metric}`,
    ...(explanation.timestamp === undefined ? [] : [`  as of      ${explanation.timestamp}`]),
    `  evaluated  ${evaluatedAt}`,
    ...(explanation.reason === undefined ? [] : [`  reason     ${explanation.reason}`]),
    "inputs",
    ...inputs.flatMap(inputLines),
    ...(steps.length === 0 ? [] : ["steps", ...steps.map(stepLine)]),
  ];
}

function answerText({ status, value, quantity, policy, code }: SignalExplanation): string {
  if (value === undefined) return `${status} (${code ?? "no code"})`;
  const served =
    quantity === undefined || quantity === String(value) ? "" : `, served as ${quantity}`;
  return policy === undefined ? `${value}${served}` : `${value}${served} by policy ${policy}`;
}

function inputLines(input: ExplainedInput): readonly string[] {
  const { name, description, status, ageSeconds, maxAgeSeconds, fields, lastError } = input;
  const age = ageSeconds === undefined ? "no sample yet" : `${ageSeconds} s old`;
  return [
    `  ${name}  ${description}: ${status}, ${age}, limit ${maxAgeSeconds} s`,
    ...(fields === undefined ? [] : [`    ${fieldsText(fields)}`]),
    ...(lastError === undefined
      ? []
      : [`    last error ${lastError.ageSeconds} s ago, ${lastError.code}: ${lastError.message}`]),
  ];
}

function fieldsText(fields: Readonly<Record<string, number>>): string {
  const texts = Object.entries(fields).map(([name, value]) => `${name} = ${value}`);
  return texts.length === 0 ? "no field" : texts.join(", ");
}

function stepLine({ name, text, terms, value, error, hasActed }: EvaluationStep): string {
  const values = terms.map((term) => `${term.name} = ${term.value}${unitText(term.unit)}`);
  const from = values.length === 0 ? "" : ` (${values.join(", ")})`;
  const subject = text === undefined ? name : `${name} ${text}`;
  if (value === undefined) return `  ${subject}${from}: ${error ?? "no value"}`;
  return `  ${subject}${from}: ${value}${hasActed ? "" : ", unchanged"}`;
}

function unitText(unit: string | undefined): string {
  return unit === undefined ? "" : ` ${unit}`;
}
