import { describeMetric, describeSelector } from "./hpa-conditions.ts";
import type { HpaConditionUpdate } from "./hpa-conditions.ts";
import { milliValue } from "./hpa-quantity.ts";
import { externalMetricReplicas, externalPerPodMetricReplicas } from "./hpa-replica-calculator.ts";
import type { PodCounts, ReplicaProposal, Tolerances } from "./hpa-replica-calculator.ts";
import type { ExternalMetricSpec } from "./hpa-spec.ts";

/**
 * What one read of an external metric gave: the `value` of every item, as Quantity strings, or why there are none. `message` is the Status message of the
 * answer, or what the client says when there was no answer.
 */
export type ExternalMetricRead =
  | { readonly outcome: "values"; readonly values: readonly string[] }
  | { readonly outcome: "failed"; readonly message: string };

/** The scale subresource: what is wanted and what is there. */
export interface HpaScale {
  readonly specReplicas: number;
  readonly statusReplicas: number;
}

/** What the metrics are judged with. */
export interface MetricsInput {
  readonly namespace: string;
  readonly metrics: readonly ExternalMetricSpec[];
  /** One read for each of `metrics`, in their order; a missing one counts as failed. */
  readonly reads: readonly ExternalMetricRead[];
  readonly scale: HpaScale;
  readonly pods: PodCounts;
  readonly tolerances: Tolerances;
}

/** All metrics together: a proposal, perhaps with the error of those that failed, or no proposal at all. */
export type MetricsResult =
  | {
      readonly outcome: "proposed";
      readonly replicas: number;
      /** The metric that proposed them, as upstream prints it; empty when no metric did. */
      readonly metric: string;
      readonly condition: HpaConditionUpdate;
      readonly error?: string;
      readonly proposals: readonly ReplicaProposal[];
    }
  | {
      readonly outcome: "failed";
      readonly condition: HpaConditionUpdate;
      readonly error: string;
      readonly proposals: readonly ReplicaProposal[];
    };

const notAQuantity =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/** The items as thousandths, or why the client fails the whole list. */
function milliValues(read: ExternalMetricRead | undefined): readonly bigint[] | string {
  const prefix = "unable to fetch metrics from external metrics API: ";
  if (read === undefined) return `${prefix}not read`;
  if (read.outcome === "failed") return prefix + read.message;
  if (read.values.length === 0) return "no metrics returned from external metrics API";
  const parsed = read.values.map(milliValue).filter((value) => value !== undefined);
  return parsed.length === read.values.length ? parsed : prefix + notAQuantity;
}

function propose(index: number, input: MetricsInput): ReplicaProposal {
  const spec = input.metrics[index];
  if (spec === undefined) throw new RangeError(`no metric at index ${index}`);
  const { metric, target } = spec.external;
  const values = milliValues(input.reads[index]);
  if (typeof values === "string") {
    const identity = `${input.namespace}/${metric.name}/${describeSelector(metric.selector)}`;
    return { outcome: "failed", message: `unable to get external metric ${identity}: ${values}` };
  }
  const text = target.type === "Value" ? target.value : target.averageValue;
  const targetMilli = milliValue(text);
  if (targetMilli === undefined)
    return { outcome: "failed", message: `target of ${metric.name}: ${notAQuantity}` };
  const usage = { valuesMilli: values, targetMilli, tolerances: input.tolerances };
  const { specReplicas, statusReplicas } = input.scale;
  return target.type === "Value"
    ? externalMetricReplicas(usage, specReplicas, input.pods)
    : externalPerPodMetricReplicas(usage, statusReplicas);
}

/**
 * Asks every metric and takes the largest proposal. When all fail, or one fails and the rest would scale down, there is no proposal: the HPA stays as it is
 * (upstream: `computeReplicasForMetrics`).
 */
export function replicasForMetrics(input: MetricsInput): MetricsResult {
  const proposals = input.metrics.map((_, index) => propose(index, input));
  const { replicas, metric } = largest(input.metrics, proposals);
  const failure = describeFailures(input.metrics, proposals);
  const condition = validMetricFound(metric);
  const proposed = { outcome: "proposed", replicas, metric, condition, proposals } as const;
  if (failure === undefined) return proposed;
  const { error, message, failedCount } = failure;
  if (failedCount === proposals.length || replicas < input.scale.specReplicas)
    return { outcome: "failed", condition: unableToCompute(message), error, proposals };
  return { ...proposed, error };
}

/** Upstream compares with a count that starts at 0, so a proposal of 0 is replaced by whatever comes next, also by a negative one. */
function largest(
  metrics: readonly ExternalMetricSpec[],
  proposals: readonly ReplicaProposal[],
): { readonly replicas: number; readonly metric: string } {
  let replicas = 0;
  let metric = "";
  for (const [index, proposal] of proposals.entries()) {
    if (proposal.outcome === "failed") continue;
    if (replicas !== 0 && proposal.replicas <= replicas) continue;
    replicas = proposal.replicas;
    metric = describeNth(metrics, index);
  }
  return { replicas, metric };
}

/** Undefined when no metric failed. Without any metric there is nothing to go by, which counts as failed. */
function describeFailures(
  metrics: readonly ExternalMetricSpec[],
  proposals: readonly ReplicaProposal[],
): { readonly error: string; readonly message: string; readonly failedCount: number } | undefined {
  if (proposals.length === 0) {
    const message = "the HPA has no external metric";
    return { error: message, message, failedCount: 0 };
  }
  const failed = proposals.flatMap((proposal, index) =>
    proposal.outcome === "failed" ? [{ index, message: proposal.message }] : [],
  );
  const first = failed[0];
  if (first === undefined) return undefined;
  const text = nest(metrics[first.index], first.message);
  const error = `invalid metrics (${failed.length} invalid out of ${proposals.length}), first error is: ${text}`;
  return { error, message: first.message, failedCount: failed.length };
}

function describeNth(metrics: readonly ExternalMetricSpec[], index: number): string {
  const spec = metrics[index];
  return spec === undefined ? "" : describeMetric(spec.external.metric);
}

/** The two layers of text that upstream puts around the error of one metric; they differ between the target types. */
function nest(spec: ExternalMetricSpec | undefined, message: string): string {
  if (spec === undefined) return message;
  const { metric, target } = spec.external;
  const inner =
    target.type === "Value"
      ? `failed to get external metric ${metric.name}`
      : `failed to get ${metric.name} external metric`;
  return `failed to get ${metric.name} external metric value: ${inner}: ${message}`;
}

function unableToCompute(message: string): HpaConditionUpdate {
  return {
    type: "ScalingActive",
    status: "False",
    reason: "FailedGetExternalMetric",
    message: `the HPA was unable to compute the replica count: ${message}`,
  };
}

function validMetricFound(metric: string): HpaConditionUpdate {
  return {
    type: "ScalingActive",
    status: "True",
    reason: "ValidMetricFound",
    message: `the HPA was able to successfully calculate a replica count from ${metric}`,
  };
}
