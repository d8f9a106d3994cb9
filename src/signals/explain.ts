import { quantityFromNumber } from "../model/quantity.ts";
import { rfc3339FromMs } from "../model/timestamp.ts";
import type { Labels } from "../model/labels.ts";
import type { Fields } from "../model/reading.ts";
import type { EvaluationStep, InputTrace } from "./evaluation.ts";
import type { ServedSignal } from "./signal-registry.ts";

/** The last failed try of an input, as explained. */
export interface ExplainedError {
  readonly code: string;
  readonly message: string;
  readonly ageSeconds: number;
}

/** An input, as explained. Fields of an input that is neither `fresh` nor `allowedMissing` are the last ones known; nothing was computed from them. */
export interface ExplainedInput {
  readonly name: string;
  readonly description: string;
  readonly status: InputTrace["status"];
  readonly maxAgeSeconds: number;
  readonly ageSeconds?: number;
  /** RFC 3339. */
  readonly timestamp?: string;
  readonly fields?: Fields;
  readonly lastError?: ExplainedError;
}

/**
 * Why a signal has its value, at the instant of its last evaluation: plain JSON, the same for the ops port, the command line and the log.
 * Keys of what there is not are left out.
 */
export interface SignalExplanation {
  readonly namespace: string;
  readonly name: string;
  readonly metricName: string;
  readonly metricLabels: Labels;
  /** `substituted`: `policy` serves a value in the place of one that `reason` prevents. */
  readonly status: "available" | "substituted" | "unavailable";
  /** In the metric's own unit. */
  readonly value?: number;
  /** The value as it is served: a Kubernetes Quantity, within the limits of what the HPA reads. */
  readonly quantity?: string;
  /** The instant that the value describes, RFC 3339. */
  readonly timestamp?: string;
  readonly policy?: "Hold" | "Value";
  readonly code?: string;
  readonly reason?: string;
  /** RFC 3339. */
  readonly evaluatedAt: string;
  readonly inputs: readonly ExplainedInput[];
  readonly steps: readonly EvaluationStep[];
}

/** Explains a signal as of its last evaluation. */
export function explainSignal({ definition, evaluation }: ServedSignal): SignalExplanation {
  const { namespace, name, metricName, metricLabels } = definition;
  return {
    ...{ namespace, name, metricName, metricLabels },
    ...explainOutcome(evaluation.outcome),
    evaluatedAt: rfc3339FromMs(evaluation.evaluatedAt.wallMs),
    inputs: evaluation.inputs.map(explainInput),
    steps: evaluation.steps,
  };
}

type ExplainedOutcome = Pick<
  SignalExplanation,
  "status" | "value" | "quantity" | "timestamp" | "policy" | "code" | "reason"
>;

function explainOutcome(outcome: ServedSignal["evaluation"]["outcome"]): ExplainedOutcome {
  switch (outcome.status) {
    case "available":
      return { status: "available", ...explainValue(outcome) };
    case "substituted": {
      const { policy, code, reason } = outcome;
      return { status: "substituted", ...explainValue(outcome), policy, code, reason };
    }
    case "unavailable": {
      const { code, reason } = outcome;
      return { status: "unavailable", code, reason };
    }
  }
}

function explainValue(served: {
  readonly value: number;
  readonly timestampMs: number;
}): Pick<SignalExplanation, "value" | "quantity" | "timestamp"> {
  const quantity = quantityFromNumber(served.value);
  const timestamp = rfc3339FromMs(served.timestampMs);
  return { value: served.value, ...(quantity === undefined ? {} : { quantity }), timestamp };
}

function explainInput(input: InputTrace): ExplainedInput {
  const { name, description, status, maxAgeMs, ageMs, timestampMs, fields, lastError } = input;
  return {
    ...{ name, description, status, maxAgeSeconds: maxAgeMs / 1000 },
    ...(ageMs === undefined ? {} : { ageSeconds: ageMs / 1000 }),
    ...(timestampMs === undefined ? {} : { timestamp: rfc3339FromMs(timestampMs) }),
    ...(fields === undefined ? {} : { fields }),
    ...(lastError === undefined
      ? {}
      : {
          lastError: {
            code: lastError.code,
            message: lastError.message,
            ageSeconds: lastError.ageMs / 1000,
          },
        }),
  };
}
