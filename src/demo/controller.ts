import type { Clock } from "../runtime/clock.ts";
import { initialHpaState, stepHpa } from "../simulator/hpa.ts";
import type { HpaDecision, HpaState } from "../simulator/hpa.ts";
import type { ExternalMetricRead } from "../simulator/hpa-metrics.ts";
import { milliValue } from "../simulator/hpa-quantity.ts";
import type { HorizontalPodAutoscalerSpec } from "../simulator/hpa-spec.ts";

/** What the controller scales, as a Deployment's scale subresource shows it. */
export interface ScaleTarget {
  readonly specReplicas: number;
  readonly statusReplicas: number;
  readonly readyReplicas: number;
  /** Starts or stops replicas until there are so many; returns before they are all up or gone. */
  setReplicas(replicas: number): void;
}

/** What one sync did. */
export interface SyncResult {
  readonly read: ExternalMetricRead;
  /** The sum of the items; undefined when the read failed. */
  readonly signal: number | undefined;
  readonly decision: HpaDecision;
}

/** What the stand-in controller works with. */
export interface ControllerOptions {
  readonly namespace: string;
  readonly spec: HorizontalPodAutoscalerSpec;
  readonly target: ScaleTarget;
  /** Reads the HPA's one metric over the network. */
  readonly read: (signal: AbortSignal) => Promise<ExternalMetricRead>;
  /** How many seconds of cluster time pass in one real second; 1 is the speed of a real cluster. */
  readonly timeScale: number;
  readonly clock: Clock;
  readonly onSync: (result: SyncResult) => void;
}

/** The sync period of kube-controller-manager (`--horizontal-pod-autoscaler-sync-period`), milliseconds of cluster time. */
export const syncPeriodMs = 15_000;

/**
 * Does what the HPA controller does, at an adjustable speed: every sync period it reads the metric over HTTPS, asks {@link stepHpa}, and scales the target.
 * It knows nothing of the queue: without the read, replicas stay as they are.
 */
export class StandInController {
  readonly #options: ControllerOptions;
  readonly #startedMs: number;
  #state: HpaState = initialHpaState;

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#startedMs = options.clock.monotonic();
  }

  /** Syncs until the signal aborts; then it rejects with the signal's reason. */
  async run(signal: AbortSignal): Promise<never> {
    const { clock, timeScale } = this.#options;
    for (let next = clock.monotonic(); ; next += syncPeriodMs / timeScale) {
      await clock.sleep(Math.max(0, next - clock.monotonic()), signal);
      await this.sync(signal);
      // After a read that took longer than a period the next one starts at once, as the controller's work queue does.
      next = Math.max(next, clock.monotonic() - syncPeriodMs / timeScale);
    }
  }

  /** One read and one decision. */
  async sync(signal: AbortSignal): Promise<SyncResult> {
    const { namespace, spec, target, clock, timeScale } = this.#options;
    const read = await this.#options.read(signal);
    const elapsedMs = clock.monotonic() - this.#startedMs;
    const { state, decision } = stepHpa(this.#state, {
      ...{ namespace, spec, reads: [read], nowMs: Math.round(elapsedMs * timeScale) },
      scale: { specReplicas: target.specReplicas, statusReplicas: target.statusReplicas },
      pods: { count: target.statusReplicas, readyCount: target.readyReplicas },
    });
    this.#state = state;
    if (decision.rescale) target.setReplicas(decision.desiredReplicas);
    const result = { read, signal: sumOf(read), decision };
    this.#options.onSync(result);
    return result;
  }
}

function sumOf(read: ExternalMetricRead): number | undefined {
  if (read.outcome === "failed" || read.values.length === 0) return undefined;
  const milli = read.values.map(milliValue).filter((value) => value !== undefined);
  if (milli.length !== read.values.length) return undefined;
  return Number(milli.reduce((sum, value) => sum + value, 0n)) / 1000;
}
