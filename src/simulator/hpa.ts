import { withScaleEvent } from "./hpa-behavior.ts";
import type { HpaHistory, Rescale } from "./hpa-behavior.ts";
import { withCondition, withoutCondition } from "./hpa-conditions.ts";
import type { HpaCondition, HpaConditionUpdate } from "./hpa-conditions.ts";
import { replicasForMetrics } from "./hpa-metrics.ts";
import type { ExternalMetricRead, HpaScale, MetricsResult } from "./hpa-metrics.ts";
import { normalizeReplicas } from "./hpa-normalize.ts";
import { approximateFloat } from "./hpa-quantity.ts";
import type { PodCounts, ReplicaProposal, Tolerances } from "./hpa-replica-calculator.ts";
import { defaultHpaControllerOptions, resolveBehavior } from "./hpa-spec.ts";
import type { HorizontalPodAutoscalerSpec, HpaControllerOptions } from "./hpa-spec.ts";

/** Everything that one HPA carries from sync to sync: the controller's memory and the status conditions. Plain JSON. */
export interface HpaState extends HpaHistory {
  readonly conditions: readonly HpaCondition[];
}

/** The state of an HPA that the controller has never seen. */
export const initialHpaState: HpaState = {
  recommendations: [],
  scaleUpEvents: [],
  scaleDownEvents: [],
  conditions: [],
};

/** What one sync of the controller sees. */
export interface HpaObservation {
  /** Milliseconds since the epoch. The controller syncs every 15 s by default. */
  readonly nowMs: number;
  /** The HPA's own namespace; it appears in messages only. */
  readonly namespace: string;
  readonly spec: HorizontalPodAutoscalerSpec;
  readonly scale: HpaScale;
  readonly pods: PodCounts;
  /** One read for each of `spec.metrics`, in their order; a missing one counts as failed. Unused in a sync that reads none. */
  readonly reads: readonly ExternalMetricRead[];
  /** Default: {@link defaultHpaControllerOptions}. */
  readonly options?: HpaControllerOptions;
}

/** What one sync decides, and why. */
export interface HpaDecision {
  readonly currentReplicas: number;
  /** What the scale subresource holds afterwards; equal to `currentReplicas` when nothing moves. */
  readonly desiredReplicas: number;
  readonly rescale: boolean;
  /** What the metrics alone ask for, before stabilization, policies and bounds. Absent when no metric was read, or when failures forbid a proposal. */
  readonly recommendedReplicas?: number;
  /** The same after stabilization. */
  readonly stabilizedReplicas?: number;
  /** Why the size should change, in upstream's words; absent when it should not. */
  readonly rescaleReason?: string;
  /** One entry for each metric, in order; empty in a sync that read none. */
  readonly proposals: readonly ReplicaProposal[];
  readonly conditions: readonly HpaCondition[];
  /** What failed, as in the event `FailedComputeMetricsReplicas`; also present when the other metrics still allowed scaling up. */
  readonly error?: string;
}

/** A sync's result; the state goes into the next one. */
export interface HpaStep {
  readonly state: HpaState;
  readonly decision: HpaDecision;
}

/** A count to move to, with how it came about. */
interface Proposal {
  readonly state: HpaState;
  readonly desiredReplicas: number;
  readonly details: Pick<
    HpaDecision,
    "recommendedReplicas" | "stabilizedReplicas" | "rescaleReason" | "error"
  >;
  readonly proposals: readonly ReplicaProposal[];
}

/**
 * One sync of the HorizontalPodAutoscaler controller over External metrics, provided that reading and writing the scale succeed
 * (upstream: `pkg/controller/podautoscaler/horizontal.go`, `reconcileAutoscaler`, as of Kubernetes 1.36). Never throws on what a metric may hold.
 */
export function stepHpa(previous: HpaState, observation: HpaObservation): HpaStep {
  const { spec, scale, nowMs } = observation;
  const options = observation.options ?? defaultHpaControllerOptions;
  const currentReplicas = scale.specReplicas;
  const minReplicas = spec.minReplicas ?? 1;
  const state = set(rememberCurrent(previous, currentReplicas, nowMs), nowMs, {
    type: "AbleToScale",
    status: "True",
    reason: "SucceededGetScale",
    message: "the HPA controller was able to get the target's current scale",
  });
  const move = (desiredReplicas: number, rescaleReason: string): HpaStep =>
    finish(observation, {
      ...{ state, desiredReplicas, details: { rescaleReason }, proposals: [] },
    });
  if (currentReplicas === 0 && !wakesFromZero(state, spec, options))
    return stayDisabled(state, nowMs, options);
  if (currentReplicas > spec.maxReplicas)
    return move(spec.maxReplicas, "Current number of replicas above Spec.MaxReplicas");
  if (currentReplicas !== 0 && currentReplicas < minReplicas)
    return move(minReplicas, "Current number of replicas below Spec.MinReplicas");
  const metrics = replicasForMetrics({
    ...observation,
    metrics: spec.metrics,
    tolerances: tolerancesOf(spec, options),
  });
  if (metrics.outcome === "failed")
    return hold(set(state, nowMs, metrics.condition), currentReplicas, metrics);
  return finish(observation, propose(observation, state, metrics));
}

/** The controller starts its memory of an HPA with the size it finds, just before it reads the metrics. */
function rememberCurrent(state: HpaState, currentReplicas: number, nowMs: number): HpaState {
  if (state.recommendations.length > 0) return state;
  // Upstream reads the clock again after the metrics, so this one is always older than the sync's own time.
  const initial = { recommendation: currentReplicas, timestampMs: nowMs - 1 };
  return { ...state, recommendations: [initial] };
}

function set(state: HpaState, nowMs: number, update: HpaConditionUpdate): HpaState {
  return { ...state, conditions: withCondition(state.conditions, update, nowMs) };
}

/** An HPA wakes only a target that it put to sleep itself: condition `ScaledToZero` (KEP-2021). */
function wakesFromZero(
  state: HpaState,
  spec: HorizontalPodAutoscalerSpec,
  options: HpaControllerOptions,
): boolean {
  const isOwnZero = state.conditions.some(
    ({ type, status }) => type === "ScaledToZero" && status === "True",
  );
  const isAllowed = (spec.minReplicas ?? 1) !== 0 || spec.metrics.length > 0;
  return options.hasScaleToZero && isOwnZero && isAllowed;
}

function stayDisabled(state: HpaState, nowMs: number, options: HpaControllerOptions): HpaStep {
  const disabled = set(state, nowMs, {
    type: "ScalingActive",
    status: "False",
    reason: "ScalingDisabled",
    message: "scaling is disabled since the replica count of the target is zero",
  });
  const conditions = options.hasScaleToZero
    ? disabled.conditions
    : withoutCondition(disabled.conditions, "ScaledToZero");
  return hold({ ...disabled, conditions }, 0, { proposals: [] });
}

/** Leaves the size as it is. */
function hold(
  state: HpaState,
  currentReplicas: number,
  { error, proposals }: Pick<HpaDecision, "error" | "proposals">,
): HpaStep {
  const decision: HpaDecision = {
    ...{ currentReplicas, desiredReplicas: currentReplicas, rescale: false, proposals },
    conditions: state.conditions,
    ...(error === undefined ? {} : { error }),
  };
  return { state, decision };
}

function tolerancesOf(
  { behavior }: HorizontalPodAutoscalerSpec,
  options: HpaControllerOptions,
): Tolerances {
  const own = (tolerance: string | undefined): number => {
    if (tolerance === undefined || !options.hasConfigurableTolerance) return options.tolerance;
    return approximateFloat(tolerance) ?? options.tolerance;
  };
  return {
    scaleUp: own(behavior?.scaleUp?.tolerance),
    scaleDown: own(behavior?.scaleDown?.tolerance),
  };
}

/** What the metrics ask for, stabilized and limited, with its conditions. */
function propose(
  observation: HpaObservation,
  state: HpaState,
  metrics: Extract<MetricsResult, { outcome: "proposed" }>,
): Proposal {
  const { nowMs, scale } = observation;
  // Negative proposals end here: upstream starts from 0 and takes only what is larger.
  const recommendedReplicas = Math.max(metrics.replicas, 0);
  const normalized = normalizeReplicas(state, {
    ...{ nowMs, spec: observation.spec, options: observation.options },
    ...{ currentReplicas: scale.specReplicas, desiredReplicas: recommendedReplicas },
  });
  const active = set(state, nowMs, metrics.condition);
  const able = set(active, nowMs, normalized.ableToScale);
  const limited = set(able, nowMs, normalized.scalingLimited);
  const isBelowMinimum = normalized.wakesAtMinimum;
  const rescaleReason =
    reasonFor(recommendedReplicas, scale.specReplicas, metrics.metric) ??
    (isBelowMinimum ? "Current number of replicas below Spec.MinReplicas" : undefined);
  return {
    state: { ...limited, recommendations: normalized.recommendations },
    desiredReplicas: normalized.replicas,
    details: {
      ...{ recommendedReplicas, stabilizedReplicas: normalized.stabilizedReplicas },
      ...(rescaleReason === undefined ? {} : { rescaleReason }),
      ...(metrics.error === undefined ? {} : { error: metrics.error }),
    },
    proposals: metrics.proposals,
  };
}

function reasonFor(recommended: number, current: number, metric: string): string | undefined {
  if (recommended > current) return `${metric} above target`;
  return recommended < current ? "All metrics below target" : undefined;
}

/** Writes the scale if it changed, and what the controller notes when it did. */
function finish(observation: HpaObservation, proposal: Proposal): HpaStep {
  const { nowMs, spec, scale } = observation;
  const options = observation.options ?? defaultHpaControllerOptions;
  const { desiredReplicas, details, proposals } = proposal;
  const currentReplicas = scale.specReplicas;
  const rescale = desiredReplicas !== currentReplicas;
  const state = rescale
    ? noteRescale(proposal.state, spec, options, {
        ...{ fromReplicas: currentReplicas, toReplicas: desiredReplicas, timestampMs: nowMs },
      })
    : proposal.state;
  const decision: HpaDecision = {
    ...{ currentReplicas, desiredReplicas, rescale, proposals, ...details },
    conditions: state.conditions,
  };
  return { state, decision };
}

function noteRescale(
  state: HpaState,
  spec: HorizontalPodAutoscalerSpec,
  options: HpaControllerOptions,
  rescale: Rescale,
): HpaState {
  const { fromReplicas, toReplicas, timestampMs } = rescale;
  const behavior = resolveBehavior(spec.behavior, options);
  const history = behavior === undefined ? state : withScaleEvent(state, behavior, rescale);
  const rescaled = set({ ...state, ...history }, timestampMs, {
    type: "AbleToScale",
    status: "True",
    reason: "SucceededRescale",
    message: `the HPA controller was able to update the target scale to ${toReplicas}`,
  });
  if (!options.hasScaleToZero)
    return { ...rescaled, conditions: withoutCondition(rescaled.conditions, "ScaledToZero") };
  const isOwnZero =
    fromReplicas > 0 && toReplicas === 0 && spec.minReplicas === 0 && spec.metrics.length > 0;
  return set(rescaled, timestampMs, isOwnZero ? scaledToZero : notScaledToZero);
}

const scaledToZero: HpaConditionUpdate = {
  type: "ScaledToZero",
  status: "True",
  reason: "ScaledToZero",
  message: "the HPA controller scaled the workload to zero",
};
const notScaledToZero: HpaConditionUpdate = {
  type: "ScaledToZero",
  status: "False",
  reason: "NotScaledToZero",
  message: "the HPA controller did not scale the workload to zero",
};
