import {
  limitWithBehaviors,
  limitWithoutBehaviors,
  stabilizeWithBehaviors,
  stabilizeWithoutBehaviors,
} from "./hpa-behavior.ts";
import type { HpaHistory, NormalizationInput, NormalizedReplicas } from "./hpa-behavior.ts";
import type { HpaConditionUpdate } from "./hpa-conditions.ts";
import { defaultHpaControllerOptions, resolveBehavior } from "./hpa-spec.ts";
import type { HorizontalPodAutoscalerSpec, HpaControllerOptions } from "./hpa-spec.ts";

/** What the metrics ask for, on its way to the scale subresource. */
export interface ReplicaRequest {
  readonly nowMs: number;
  readonly spec: HorizontalPodAutoscalerSpec;
  readonly options: HpaControllerOptions | undefined;
  readonly currentReplicas: number;
  readonly desiredReplicas: number;
}

/** What may be written, and what stabilization and limits say about it. */
export interface ReplicaAnswer {
  readonly replicas: number;
  readonly stabilizedReplicas: number;
  /** Whether a target woke below its minimum and is therefore brought up to it. */
  readonly wakesAtMinimum: boolean;
  readonly ableToScale: HpaConditionUpdate;
  readonly scalingLimited: HpaConditionUpdate;
  readonly recommendations: HpaHistory["recommendations"];
}

/** Stabilizes, then limits (upstream: `normalizeDesiredReplicas` without `behavior`, `normalizeDesiredReplicasWithBehaviors` with it). */
export function normalizeReplicas(history: HpaHistory, request: ReplicaRequest): ReplicaAnswer {
  const { currentReplicas, desiredReplicas, spec } = request;
  const minReplicas = spec.minReplicas ?? 1;
  const { stabilized, limited, recommendations } = stabilizeAndLimit(history, request, {
    ...{ nowMs: request.nowMs, minReplicas, maxReplicas: spec.maxReplicas },
    ...{ currentReplicas, desiredReplicas },
  });
  // A target that wakes comes up at its present minimum, also when that was raised while it slept.
  const wakesAtMinimum = currentReplicas === 0 && limited.replicas < minReplicas;
  return {
    replicas: wakesAtMinimum ? minReplicas : limited.replicas,
    stabilizedReplicas: stabilized.replicas,
    wakesAtMinimum,
    ableToScale: ableToScale(stabilized, desiredReplicas),
    scalingLimited: {
      type: "ScalingLimited",
      status: limited.replicas === stabilized.replicas ? "False" : "True",
      reason: limited.reason,
      message: limited.message,
    },
    recommendations,
  };
}

function stabilizeAndLimit(
  history: HpaHistory,
  { spec, options = defaultHpaControllerOptions }: ReplicaRequest,
  input: NormalizationInput,
): Pick<HpaHistory, "recommendations"> & {
  readonly stabilized: NormalizedReplicas;
  readonly limited: NormalizedReplicas;
} {
  const behavior = resolveBehavior(spec.behavior, options);
  const stabilized =
    behavior === undefined
      ? stabilizeWithoutBehaviors(input, options.downscaleStabilizationMs, history.recommendations)
      : stabilizeWithBehaviors(input, behavior, history.recommendations);
  const toLimit = { ...input, desiredReplicas: stabilized.replicas };
  const limited =
    behavior === undefined
      ? limitWithoutBehaviors(toLimit)
      : limitWithBehaviors(toLimit, behavior, history);
  return { stabilized, limited, recommendations: stabilized.recommendations };
}

function ableToScale(stabilized: NormalizedReplicas, recommended: number): HpaConditionUpdate {
  const { reason, message } =
    stabilized.replicas === recommended
      ? { reason: "ReadyForNewScale" as const, message: "recommended size matches current size" }
      : stabilized;
  return { type: "AbleToScale", status: "True", reason, message };
}
