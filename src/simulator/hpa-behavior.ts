import type { HpaConditionReason } from "./hpa-conditions.ts";
import { int32FromFloat } from "./hpa-replica-calculator.ts";
import type { HpaScalingPolicy, ResolvedBehavior, ResolvedScalingRules } from "./hpa-spec.ts";

/** A recommendation before stabilization, and when it was made (milliseconds since the epoch). */
export interface TimestampedRecommendation {
  readonly recommendation: number;
  readonly timestampMs: number;
}

/** A change of the replica count by the HPA itself: how many pods, above 0, and when (milliseconds since the epoch). */
export interface TimestampedScaleEvent {
  readonly replicaChange: number;
  readonly timestampMs: number;
  /** Marked when it was older than the longest policy period at that time: its place may be used again. */
  readonly outdated: boolean;
}

/** What the controller remembers of one HPA, in memory only: a restart of the controller forgets it. */
export interface HpaHistory {
  readonly recommendations: readonly TimestampedRecommendation[];
  readonly scaleUpEvents: readonly TimestampedScaleEvent[];
  readonly scaleDownEvents: readonly TimestampedScaleEvent[];
}

/** A replica count between the metrics and the scale subresource, and the bounds it must fit. */
export interface NormalizationInput {
  readonly nowMs: number;
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly currentReplicas: number;
  readonly desiredReplicas: number;
}

/** A count after one stage, and the reason and message of the condition that the stage sets. */
export interface NormalizedReplicas {
  readonly replicas: number;
  readonly reason: HpaConditionReason;
  readonly message: string;
}

const int32 = (value: number): number => value | 0;

/** Puts the new one in the place of the last outdated one, else at the end: memory stays bounded by the window. */
function remember(
  recommendations: readonly TimestampedRecommendation[],
  isOutdated: (recommendation: TimestampedRecommendation) => boolean,
  added: TimestampedRecommendation,
): readonly TimestampedRecommendation[] {
  const index = recommendations.findLastIndex(isOutdated);
  return index < 0 ? [...recommendations, added] : recommendations.with(index, added);
}

/**
 * Keeps the present count between the lowest recommendation of the window up and the highest of the window down
 * (upstream: `stabilizeRecommendationWithBehaviors`).
 */
export function stabilizeWithBehaviors(
  input: NormalizationInput,
  behavior: ResolvedBehavior,
  recommendations: readonly TimestampedRecommendation[],
): NormalizedReplicas & { readonly recommendations: readonly TimestampedRecommendation[] } {
  const { nowMs, desiredReplicas, currentReplicas } = input;
  const upCutoffMs = nowMs - behavior.scaleUp.stabilizationWindowMs;
  const downCutoffMs = nowMs - behavior.scaleDown.stabilizationWindowMs;
  let up = desiredReplicas;
  let down = desiredReplicas;
  for (const { recommendation, timestampMs } of recommendations) {
    if (timestampMs > upCutoffMs) up = Math.min(recommendation, up);
    if (timestampMs > downCutoffMs) down = Math.max(recommendation, down);
  }
  return {
    replicas: Math.min(Math.max(currentReplicas, up), down),
    ...(desiredReplicas >= currentReplicas ? scaleUpStabilized : scaleDownStabilized),
    recommendations: remember(
      recommendations,
      ({ timestampMs }) => timestampMs < upCutoffMs && timestampMs < downCutoffMs,
      { recommendation: desiredReplicas, timestampMs: nowMs },
    ),
  };
}

const scaleUpStabilized = {
  reason: "ScaleUpStabilized",
  message:
    "recent recommendations were lower than current one, applying the lowest recent recommendation",
} as const;
const scaleDownStabilized = {
  reason: "ScaleDownStabilized",
  message:
    "recent recommendations were higher than current one, applying the highest recent recommendation",
} as const;

/** The highest recommendation of the window down, for an HPA without `behavior` (upstream: `stabilizeRecommendation`). */
export function stabilizeWithoutBehaviors(
  input: NormalizationInput,
  windowMs: number,
  recommendations: readonly TimestampedRecommendation[],
): NormalizedReplicas & { readonly recommendations: readonly TimestampedRecommendation[] } {
  const { nowMs, desiredReplicas } = input;
  const cutoffMs = nowMs - windowMs;
  const recent = recommendations.filter(({ timestampMs }) => timestampMs >= cutoffMs);
  const replicas = recent.reduce(
    (highest, { recommendation }) => Math.max(highest, recommendation),
    desiredReplicas,
  );
  return {
    replicas,
    ...scaleDownStabilized,
    recommendations: remember(recommendations, ({ timestampMs }) => timestampMs < cutoffMs, {
      recommendation: desiredReplicas,
      timestampMs: nowMs,
    }),
  };
}

const withinRange = {
  reason: "DesiredWithinRange",
  message: "the desired count is within the acceptable range",
} as const;
const tooFewReplicas = {
  reason: "TooFewReplicas",
  message: "the desired replica count is less than the minimum replica count",
} as const;
const tooManyReplicas = {
  reason: "TooManyReplicas",
  message: "the desired replica count is more than the maximum replica count",
} as const;
const scaleUpLimited = {
  reason: "ScaleUpLimit",
  message: "the desired replica count is increasing faster than the maximum scale rate",
} as const;
const scaleDownLimited = {
  reason: "ScaleDownLimit",
  message: "the desired replica count is decreasing faster than the maximum scale rate",
} as const;

/** Applies the policies and, in the direction of change only, the bounds (upstream: `convertDesiredReplicasWithBehaviorRate`). */
export function limitWithBehaviors(
  input: NormalizationInput,
  behavior: ResolvedBehavior,
  history: HpaHistory,
): NormalizedReplicas {
  const { currentReplicas, desiredReplicas, minReplicas, maxReplicas, nowMs } = input;
  if (desiredReplicas > currentReplicas) {
    const allowed = scaleUpLimit(currentReplicas, behavior.scaleUp, history, nowMs);
    const limit = Math.max(allowed, currentReplicas);
    const maximum = Math.min(maxReplicas, limit);
    if (desiredReplicas > maximum)
      return { replicas: maximum, ...(maxReplicas > limit ? scaleUpLimited : tooManyReplicas) };
  } else if (desiredReplicas < currentReplicas) {
    const allowed = scaleDownLimit(currentReplicas, behavior.scaleDown, history, nowMs);
    const limit = Math.min(allowed, currentReplicas);
    const minimum = Math.max(minReplicas, limit);
    if (desiredReplicas < minimum)
      return { replicas: minimum, ...(minReplicas < limit ? scaleDownLimited : tooFewReplicas) };
  }
  return { replicas: desiredReplicas, ...withinRange };
}

/** For an HPA without `behavior`: growth to at most twice the size or 4, then the bounds (upstream: `convertDesiredReplicasWithRules`). */
export function limitWithoutBehaviors(input: NormalizationInput): NormalizedReplicas {
  const { currentReplicas, desiredReplicas, minReplicas, maxReplicas } = input;
  const limit = int32FromFloat(Math.max(2 * currentReplicas, 4));
  const maximum = Math.min(maxReplicas, limit);
  if (desiredReplicas < minReplicas) return { replicas: minReplicas, ...tooFewReplicas };
  if (desiredReplicas > maximum)
    return { replicas: maximum, ...(maxReplicas > limit ? scaleUpLimited : tooManyReplicas) };
  return { replicas: desiredReplicas, ...withinRange };
}

/** Pods added or removed by events younger than the period (upstream: `getReplicasChangePerPeriod`). */
function replicasChangePerPeriod(
  periodSeconds: number,
  events: readonly TimestampedScaleEvent[],
  nowMs: number,
): number {
  const cutoffMs = nowMs - periodSeconds * 1000;
  return events
    .filter(({ timestampMs }) => timestampMs > cutoffMs)
    .reduce((sum, { replicaChange }) => int32(sum + replicaChange), 0);
}

/** The count at the start of a policy's period, as far as this HPA changed it. */
function periodStartReplicas(
  currentReplicas: number,
  policy: HpaScalingPolicy,
  history: HpaHistory,
  nowMs: number,
): number {
  const added = replicasChangePerPeriod(policy.periodSeconds, history.scaleUpEvents, nowMs);
  const deleted = replicasChangePerPeriod(policy.periodSeconds, history.scaleDownEvents, nowMs);
  return int32(currentReplicas - added + deleted);
}

/** Most replicas that the policies allow now; int32 as upstream, overflows included (`calculateScaleUpLimitWithScalingRules`). */
function scaleUpLimit(
  currentReplicas: number,
  rules: ResolvedScalingRules,
  history: HpaHistory,
  nowMs: number,
): number {
  if (rules.selectPolicy === "Disabled") return currentReplicas;
  const proposals = rules.policies.map((policy) => {
    const start = periodStartReplicas(currentReplicas, policy, history, nowMs);
    return policy.type === "Pods"
      ? int32(start + policy.value)
      : int32FromFloat(Math.ceil(start * (1 + policy.value / 100)));
  });
  return rules.selectPolicy === "Min"
    ? Math.min(2 ** 31 - 1, ...proposals)
    : Math.max(-(2 ** 31), ...proposals);
}

/** Fewest replicas that the policies allow now (upstream: `calculateScaleDownLimitWithBehaviors`). */
function scaleDownLimit(
  currentReplicas: number,
  rules: ResolvedScalingRules,
  history: HpaHistory,
  nowMs: number,
): number {
  if (rules.selectPolicy === "Disabled") return currentReplicas;
  const proposals = rules.policies.map((policy) => {
    const start = periodStartReplicas(currentReplicas, policy, history, nowMs);
    return policy.type === "Pods"
      ? int32(start - policy.value)
      : int32FromFloat(start * (1 - policy.value / 100));
  });
  return rules.selectPolicy === "Min"
    ? Math.max(-(2 ** 31), ...proposals)
    : Math.min(2 ** 31 - 1, ...proposals);
}

/** A rescale that happened. */
export interface Rescale {
  readonly fromReplicas: number;
  readonly toReplicas: number;
  readonly timestampMs: number;
}

/** Records a rescale for the policies to come, in the place of the last outdated event if there is one (upstream: `storeScaleEvent`). */
export function withScaleEvent(
  history: HpaHistory,
  behavior: ResolvedBehavior,
  { fromReplicas, toReplicas, timestampMs }: Rescale,
): HpaHistory {
  const isUp = toReplicas > fromReplicas;
  const rules = isUp ? behavior.scaleUp : behavior.scaleDown;
  const longestSeconds = Math.max(0, ...rules.policies.map(({ periodSeconds }) => periodSeconds));
  const cutoffMs = timestampMs - longestSeconds * 1000;
  const events = (isUp ? history.scaleUpEvents : history.scaleDownEvents).map((event) =>
    event.timestampMs < cutoffMs ? { ...event, outdated: true } : event,
  );
  const replicaChange = Math.abs(int32(toReplicas - fromReplicas));
  const added: TimestampedScaleEvent = { replicaChange, timestampMs, outdated: false };
  const index = events.findLastIndex(({ outdated }) => outdated);
  const stored = index < 0 ? [...events, added] : events.with(index, added);
  return isUp ? { ...history, scaleUpEvents: stored } : { ...history, scaleDownEvents: stored };
}
