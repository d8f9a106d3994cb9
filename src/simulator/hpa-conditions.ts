import type { ExternalMetricSpec, MetricSelector } from "./hpa-spec.ts";

/** The conditions that the controller itself writes (autoscaling/v2, `HorizontalPodAutoscalerConditionType`). */
export type HpaConditionType = "AbleToScale" | "ScalingActive" | "ScalingLimited" | "ScaledToZero";

/** The reasons upstream gives, by their own names. */
export type HpaConditionReason =
  | "SucceededGetScale"
  | "ReadyForNewScale"
  | "ScaleUpStabilized"
  | "ScaleDownStabilized"
  | "SucceededRescale"
  | "ValidMetricFound"
  | "FailedGetExternalMetric"
  | "ScalingDisabled"
  | "DesiredWithinRange"
  | "TooFewReplicas"
  | "TooManyReplicas"
  | "ScaleUpLimit"
  | "ScaleDownLimit"
  | "ScaledToZero"
  | "NotScaledToZero";

/** One condition of an HPA's status, as `kubectl describe hpa` shows it. */
export interface HpaCondition {
  readonly type: HpaConditionType;
  readonly status: "True" | "False";
  readonly reason: HpaConditionReason;
  readonly message: string;
  /** When `status` last changed, milliseconds since the epoch. */
  readonly lastTransitionTimeMs: number;
}

/** A condition before it is dated. */
export type HpaConditionUpdate = Omit<HpaCondition, "lastTransitionTimeMs">;

/** Replaces the condition of that type, or appends it; the transition time moves only with the status (upstream: `setConditionInList`). */
export function withCondition(
  conditions: readonly HpaCondition[],
  update: HpaConditionUpdate,
  nowMs: number,
): readonly HpaCondition[] {
  const index = conditions.findIndex(({ type }) => type === update.type);
  const existing = conditions[index];
  if (existing === undefined) return [...conditions, { ...update, lastTransitionTimeMs: nowMs }];
  const hasSameStatus = existing.status === update.status;
  const lastTransitionTimeMs = hasSameStatus ? existing.lastTransitionTimeMs : nowMs;
  return conditions.with(index, { ...update, lastTransitionTimeMs });
}

/** The conditions without those of one type. */
export function withoutCondition(
  conditions: readonly HpaCondition[],
  type: HpaConditionType,
): readonly HpaCondition[] {
  return conditions.filter((condition) => condition.type !== type);
}

/** How upstream prints a metric in messages and events: `external metric NAME(SELECTOR)`. */
export function describeMetric(metric: ExternalMetricSpec["external"]["metric"]): string {
  return `external metric ${metric.name}(${describeSelector(metric.selector)})`;
}

/** The Go text of a `*metav1.LabelSelector` (`%+v`): `nil`, or the generated `String()` with its keys sorted. */
export function describeSelector(selector: MetricSelector | undefined): string {
  if (selector === undefined) return "nil";
  const labels = Object.entries(selector.matchLabels ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}: ${value},`);
  const expressions = (selector.matchExpressions ?? []).map(
    ({ key, operator, values }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${(values ?? []).join(" ")}],},`,
  );
  return `&LabelSelector{MatchLabels:map[string]string{${labels.join("")}},MatchExpressions:[]LabelSelectorRequirement{${expressions.join("")}},}`;
}
