import { quantityFromMilli } from "./hpa-quantity.ts";

/** Widths of the usage ratio inside which the replica count stays, as ratios (upstream `Tolerances`). */
export interface Tolerances {
  readonly scaleDown: number;
  readonly scaleUp: number;
}

/** The pods that the HPA's target selects: all of them, and those Running and Ready. Only `Value` targets look at them. */
export interface PodCounts {
  readonly count: number;
  readonly readyCount: number;
}

/** What one external metric proposes. `current` is what the HPA's status shows, a Quantity string; absent for an average over no pods, where upstream's figure has no meaning. */
export type ReplicaProposal =
  | { readonly outcome: "proposed"; readonly replicas: number; readonly current?: string }
  | { readonly outcome: "failed"; readonly message: string };

const maxInt64 = 2n ** 63n - 1n;
const maxInt32 = 2 ** 31 - 1;
const minInt32 = -(2 ** 31);

/** Go's `int32(float64)` on amd64: truncates; out of range or not a number it gives the smallest int32. */
export function int32FromFloat(value: number): number {
  const truncated = Math.trunc(value);
  return truncated >= minInt32 && truncated <= maxInt32 ? truncated | 0 : minInt32;
}

function isWithin(tolerances: Tolerances, usageRatio: number): boolean {
  return 1 - tolerances.scaleDown <= usageRatio && usageRatio <= 1 + tolerances.scaleUp;
}

/** Inputs of {@link externalMetricReplicas}: all amounts are int64 thousandths. */
export interface ExternalMetricUsage {
  readonly valuesMilli: readonly bigint[];
  readonly targetMilli: bigint;
  readonly tolerances: Tolerances;
}

/** Sums with saturation at the largest int64; sums of negatives wrap, as Go's do. */
function saturatingSum(valuesMilli: readonly bigint[]): bigint {
  let usage = 0n;
  for (const value of valuesMilli) {
    if (value > 0n && usage > maxInt64 - value) return maxInt64;
    usage = BigInt.asIntN(64, usage + value);
  }
  return usage;
}

/** Sums; a negative running sum is taken for an overflow and becomes the largest int64. */
function overflowGuardedSum(valuesMilli: readonly bigint[]): bigint {
  let usage = 0n;
  for (const value of valuesMilli) {
    usage = BigInt.asIntN(64, usage + value);
    if (usage < 0n) return maxInt64;
  }
  return usage;
}

/**
 * A `Value` target: `ceil(usage / target × ready pods)`, unchanged within tolerance; from 0 replicas `ceil(usage / target)` with neither tolerance nor pods.
 * Fails when the target selects no pod (upstream: `GetExternalMetricReplicas`, `getUsageRatioReplicaCount`).
 */
export function externalMetricReplicas(
  { valuesMilli, targetMilli, tolerances }: ExternalMetricUsage,
  specReplicas: number,
  pods: PodCounts,
): ReplicaProposal {
  const usageMilli = saturatingSum(valuesMilli);
  const usageRatio = Number(usageMilli) / Number(targetMilli);
  const propose = (replicas: number): ReplicaProposal => ({
    outcome: "proposed",
    replicas,
    current: quantityFromMilli(usageMilli),
  });
  if (specReplicas === 0) return propose(int32FromFloat(Math.ceil(usageRatio)));
  if (isWithin(tolerances, usageRatio)) return propose(specReplicas);
  if (pods.count === 0) {
    const finding = "no pods returned by selector while calculating replica count";
    return { outcome: "failed", message: `unable to calculate ready pods: ${finding}` };
  }
  const replicas = usageRatio * pods.readyCount;
  return propose(replicas > maxInt32 ? maxInt32 : int32FromFloat(Math.ceil(replicas)));
}

/**
 * An `AverageValue` target: `ceil(usage / target)`, or the present count when `usage / (target × present count)` is within tolerance. The present count is
 * `status.replicas`, also of pods that are not ready (upstream: `GetExternalPerPodMetricReplicas`).
 */
export function externalPerPodMetricReplicas(
  { valuesMilli, targetMilli, tolerances }: ExternalMetricUsage,
  statusReplicas: number,
): ReplicaProposal {
  const usage = overflowGuardedSum(valuesMilli);
  // 0 replicas give Infinity or NaN, neither of which is within any tolerance.
  const usageRatio = Number(usage) / (Number(targetMilli) * statusReplicas);
  const needed = Math.ceil(Number(usage) / Number(targetMilli));
  const capped = needed > maxInt32 ? maxInt32 : int32FromFloat(needed);
  const replicas = isWithin(tolerances, usageRatio) ? statusReplicas : capped;
  const average = averagePerPod(usage, statusReplicas);
  if (average === undefined) return { outcome: "proposed", replicas };
  return { outcome: "proposed", replicas, current: quantityFromMilli(average) };
}

function averagePerPod(usage: bigint, statusReplicas: number): bigint | undefined {
  if (Number(usage) >= Number(maxInt64)) return maxInt64;
  if (statusReplicas === 0) return undefined;
  return BigInt(Math.ceil(Number(usage) / statusReplicas));
}
