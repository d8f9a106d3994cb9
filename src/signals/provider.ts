import { matchesLabels } from "../model/label-selector.ts";
import { quantityFromNumber } from "../model/quantity.ts";
import { statusFailure } from "../model/status.ts";
import type { LabelSelector } from "../model/label-selector.ts";
import type { Labels } from "../model/labels.ts";
import type { Status } from "../model/status.ts";
import type { Evaluation } from "./evaluation.ts";
import type { ServedSignal, SignalRegistry } from "./signal-registry.ts";

/** One answered value; the value is a canonical Kubernetes Quantity. */
export interface SignalMetricValue {
  readonly metricName: string;
  readonly metricLabels: Labels;
  /** The instant that the value describes, milliseconds since the epoch. */
  readonly timestampMs: number;
  readonly value: string;
}

/** Which metric is asked for; the name in any case. */
export interface SignalMetricRequest {
  readonly namespace: string;
  readonly metricName: string;
  readonly selector: LabelSelector;
}

/** Values, possibly none, or the failure to answer with. */
export type SignalMetricResult =
  | { readonly status: "found"; readonly items: readonly SignalMetricValue[] }
  | { readonly status: "failed"; readonly failure: Status };

/** What the part of a registry is that answers need. */
export type SignalSource = Pick<SignalRegistry, "servedByMetric" | "definitions">;

/**
 * Answers the external metrics API from the evaluations in memory (upstream: custom-metrics-apiserver `pkg/provider/interfaces.go`). An HPA adds
 * up what it is given, so one matched signal without a value makes the whole answer a failure.
 */
export class SignalMetricsProvider {
  readonly #signals: SignalSource;
  /** What an evaluation is answered with, made once. */
  readonly #answers = new WeakMap<Evaluation, SignalMetricResult>();

  constructor(signals: SignalSource) {
    this.#signals = signals;
  }

  /** Never throws: an unknown or unavailable metric is a result. */
  getExternalMetric(request: SignalMetricRequest): SignalMetricResult {
    const { namespace, metricName, selector } = request;
    const known = this.#signals.servedByMetric(namespace, metricName);
    if (known === undefined) {
      const message = `the server could not find the metric ${metricName} for namespace ${namespace}`;
      return { status: "failed", failure: statusFailure("NotFound", message) };
    }
    const matched = known.filter(({ definition }) =>
      matchesLabels(selector, definition.metricLabels),
    );
    const [only, ...others] = matched;
    if (only !== undefined && others.length === 0) return this.#answer(only);
    return this.#join(matched);
  }

  /** Every metric name that is configured, each once, as first spelled. */
  listAllExternalMetrics(): readonly { readonly metricName: string }[] {
    const names = new Map<string, string>();
    for (const { metricName } of this.#signals.definitions()) {
      const key = metricName.toLowerCase();
      if (!names.has(key)) names.set(key, metricName);
    }
    return [...names.values()].map((metricName) => ({ metricName }));
  }

  #join(matched: readonly ServedSignal[]): SignalMetricResult {
    const items: SignalMetricValue[] = [];
    for (const signal of matched) {
      const answer = this.#answer(signal);
      if (answer.status === "failed") return answer;
      items.push(...answer.items);
    }
    return { status: "found", items };
  }

  #answer(signal: ServedSignal): SignalMetricResult {
    const known = this.#answers.get(signal.evaluation);
    if (known !== undefined) return known;
    const answer = answerFromSignal(signal);
    this.#answers.set(signal.evaluation, answer);
    return answer;
  }
}

function answerFromSignal({ definition, evaluation }: ServedSignal): SignalMetricResult {
  const { metricName, metricLabels } = definition;
  const { outcome } = evaluation;
  if (outcome.status === "unavailable") return failed(metricName, outcome.reason);
  const value = quantityFromNumber(outcome.value);
  if (value === undefined) return failed(metricName, "the value is not finite");
  const { timestampMs } = outcome;
  return { status: "found", items: [{ metricName, metricLabels, timestampMs, value }] };
}

function failed(metricName: string, reason: string): SignalMetricResult {
  const message = `external metric ${metricName}: ${reason}`;
  return { status: "failed", failure: statusFailure("ServiceUnavailable", message) };
}
