import type { LabelSelector } from "../model/label-selector.ts";
import type { Labels } from "../model/labels.ts";
import type { Status } from "../model/status.ts";

/** One item of an `ExternalMetricValueList` (upstream: metrics `external_metrics/v1beta1/types.go`). */
export interface ExternalMetricValue {
  /** Canonical spelling, as configured. */
  readonly metricName: string;
  readonly metricLabels: Labels;
  /** The instant that the value describes, milliseconds since the epoch. */
  readonly timestampMs: number;
  /** Seconds over which the value was computed; absent for an instantaneous one. */
  readonly windowSeconds?: number;
  /** Canonical Kubernetes Quantity; passed to the wire untouched. */
  readonly value: string;
}

/** What the API was asked for. */
export interface ExternalMetricRequest {
  readonly namespace: string;
  /** As received: client-go lower-cases it, `kubectl get --raw` does not. Compare without case. */
  readonly metricName: string;
  /** The `labelSelector` parameter as received, for a provider that passes it on; empty when absent. */
  readonly rawSelector: string;
  readonly selector: LabelSelector;
}

/** Values, possibly none, or the failure to answer with. */
export type ExternalMetricResult =
  | { readonly status: "found"; readonly items: readonly ExternalMetricValue[] }
  | { readonly status: "failed"; readonly failure: Status };

/** Names one metric that can be asked for. */
export interface ExternalMetricInfo {
  readonly metricName: string;
}

/**
 * What this part needs from whoever knows the values (upstream: custom-metrics-apiserver `pkg/provider/interfaces.go`).
 * Answers from memory are returned directly; a provider that must ask someone else returns a promise.
 */
export interface ExternalMetricsProvider {
  /** Never throws for a missing or unavailable metric: that is a result. */
  getExternalMetric(
    request: ExternalMetricRequest,
  ): ExternalMetricResult | Promise<ExternalMetricResult>;
  /** Every metric that is configured; from memory, never fails. */
  listAllExternalMetrics(): readonly ExternalMetricInfo[];
}
