/** How the target of an external metric is meant (autoscaling/v2 `MetricTarget`); the numbers are Quantity strings above 0. */
export type ExternalMetricTarget =
  | { readonly type: "Value"; readonly value: string }
  | { readonly type: "AverageValue"; readonly averageValue: string };

/** A `metav1.LabelSelector` as an HPA carries it. Absent or empty: everything. */
export interface MetricSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
    readonly values?: readonly string[];
  }[];
}

/** One entry of an HPA's `spec.metrics`, of type External (autoscaling/v2 `MetricSpec`). */
export interface ExternalMetricSpec {
  readonly type: "External";
  readonly external: {
    readonly metric: { readonly name: string; readonly selector?: MetricSelector };
    readonly target: ExternalMetricTarget;
  };
}

/** One rate limit (autoscaling/v2 `HPAScalingPolicy`): `value` pods or percent, above 0, within `periodSeconds`, 1 to 1800. */
export interface HpaScalingPolicy {
  readonly type: "Pods" | "Percent";
  readonly value: number;
  readonly periodSeconds: number;
}

/** Which policy counts when several apply: the one that allows most change, least change, or no change at all. */
export type ScalingPolicySelect = "Max" | "Min" | "Disabled";

/** The rules of one direction as a user writes them (autoscaling/v2 `HPAScalingRules`); every absent field has a default. */
export interface HpaScalingRules {
  /** Seconds, 0 to 3600. Default: 0 up; down, what the controller is started with. */
  readonly stabilizationWindowSeconds?: number;
  /** Default: Max. */
  readonly selectPolicy?: ScalingPolicySelect;
  /** Default: up 4 pods or 100 % in 15 s, down 100 % in 15 s. */
  readonly policies?: readonly HpaScalingPolicy[];
  /** Dead zone around the target as a ratio, a Quantity string of at least 0 (KEP-4951). Default: the controller's. */
  readonly tolerance?: string;
}

/** The part of a `HorizontalPodAutoscaler` that decides (autoscaling/v2), in the manifest's own shape; External metrics only. */
export interface HorizontalPodAutoscalerSpec {
  /** At least 0. Default: 1. */
  readonly minReplicas?: number;
  /** At least 1 and at least `minReplicas`. */
  readonly maxReplicas: number;
  readonly metrics: readonly ExternalMetricSpec[];
  /** Absent altogether: the older rules hold, growth to at most twice the size or 4, no policies. */
  readonly behavior?: {
    readonly scaleUp?: HpaScalingRules;
    readonly scaleDown?: HpaScalingRules;
  };
}

/** What the controller is started with (flags and feature gates of kube-controller-manager). */
export interface HpaControllerOptions {
  /** `--horizontal-pod-autoscaler-tolerance`, a ratio. */
  readonly tolerance: number;
  /** `--horizontal-pod-autoscaler-downscale-stabilization`, milliseconds. */
  readonly downscaleStabilizationMs: number;
  /** Feature gate `HPAScaleToZero`. */
  readonly hasScaleToZero: boolean;
  /** Feature gate `HPAConfigurableTolerance`; off, `behavior.*.tolerance` is ignored. */
  readonly hasConfigurableTolerance: boolean;
}

/** The flags' defaults, and the gates as from Kubernetes 1.37: `HPAScaleToZero` is alpha and off up to 1.36. */
export const defaultHpaControllerOptions: HpaControllerOptions = {
  tolerance: 0.1,
  downscaleStabilizationMs: 300_000,
  hasScaleToZero: true,
  hasConfigurableTolerance: true,
};

/** The rules of one direction with every default filled in; the window in milliseconds. */
export interface ResolvedScalingRules {
  readonly stabilizationWindowMs: number;
  readonly selectPolicy: ScalingPolicySelect;
  readonly policies: readonly HpaScalingPolicy[];
}

/** Both directions, resolved. */
export interface ResolvedBehavior {
  readonly scaleUp: ResolvedScalingRules;
  readonly scaleDown: ResolvedScalingRules;
}

const defaultScaleUpPolicies: readonly HpaScalingPolicy[] = [
  { type: "Pods", value: 4, periodSeconds: 15 },
  { type: "Percent", value: 100, periodSeconds: 15 },
];
const defaultScaleDownPolicies: readonly HpaScalingPolicy[] = [
  { type: "Percent", value: 100, periodSeconds: 15 },
];

function resolveRules(
  rules: HpaScalingRules = {},
  defaultWindowSeconds: number,
  defaultPolicies: readonly HpaScalingPolicy[],
): ResolvedScalingRules {
  return {
    stabilizationWindowMs: (rules.stabilizationWindowSeconds ?? defaultWindowSeconds) * 1000,
    selectPolicy: rules.selectPolicy ?? "Max",
    policies: rules.policies ?? defaultPolicies,
  };
}

/**
 * Fills in the defaults (upstream: `pkg/apis/autoscaling/v2/defaults.go`, and `maybeInitScaleDownStabilizationWindow` for the window down).
 * Undefined when the HPA has no `behavior`: then other rules apply, not these defaults.
 */
export function resolveBehavior(
  behavior: HorizontalPodAutoscalerSpec["behavior"],
  options: HpaControllerOptions,
): ResolvedBehavior | undefined {
  if (behavior === undefined) return undefined;
  // The controller keeps whole seconds here (horizontal.go, maybeInitScaleDownStabilizationWindow).
  const downscaleSeconds = Math.trunc(options.downscaleStabilizationMs / 1000);
  return {
    scaleUp: resolveRules(behavior.scaleUp, 0, defaultScaleUpPolicies),
    scaleDown: resolveRules(behavior.scaleDown, downscaleSeconds, defaultScaleDownPolicies),
  };
}
