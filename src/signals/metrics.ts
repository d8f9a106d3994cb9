import { Counter, Gauge, Histogram } from "prom-client";
import type { Registry } from "prom-client";
import type { EvaluationObserver, ServedSignal } from "./signal-registry.ts";

/** Bucket bounds, seconds: an evaluation takes microseconds. */
const durationBuckets = [1e-6, 5e-6, 1e-5, 5e-5, 1e-4, 5e-4, 1e-3, 1e-2];

const signalLabels = ["namespace", "name"] as const;

/**
 * Registers the metrics of the signals, and gives the observer that feeds them. What each signal is worth is looked up when it is scraped: a
 * signal that is gone has no series, and neither has the value of one that serves none.
 *
 * @param signals every signal as of now
 */
export function createSignalMetrics(
  registry: Registry,
  signals: () => readonly ServedSignal[],
): EvaluationObserver {
  const evaluations = new Counter({
    name: "leadline_signal_evaluations_total",
    help: "Evaluations of signals by outcome: available, substituted (by onUnavailable), unavailable.",
    labelNames: ["outcome"],
    registers: [registry],
  });
  for (const outcome of ["available", "substituted", "unavailable"])
    evaluations.inc({ outcome }, 0);
  const duration = new Histogram({
    name: "leadline_signal_evaluation_duration_seconds",
    help: "Time that one evaluation of a signal took, in seconds.",
    buckets: durationBuckets,
    registers: [registry],
  });
  new Gauge({
    name: "leadline_signal_value",
    help: "Value that the signal serves now, in the metric's own unit; absent while it serves none.",
    labelNames: signalLabels,
    registers: [registry],
    collect() {
      this.reset();
      for (const { definition, evaluation } of signals()) {
        const { namespace, name } = definition;
        const { outcome } = evaluation;
        if (outcome.status !== "unavailable") this.set({ namespace, name }, outcome.value);
      }
    },
  });
  new Gauge({
    name: "leadline_signal_available",
    help: "1 while the signal's value comes from inputs within their age limits, 0 while it is substituted or there is none.",
    labelNames: signalLabels,
    registers: [registry],
    collect() {
      this.reset();
      for (const { definition, evaluation } of signals()) {
        const { namespace, name } = definition;
        this.set({ namespace, name }, evaluation.outcome.status === "available" ? 1 : 0);
      }
    },
  });
  return {
    evaluated: ({ outcome }, durationMs) => {
      evaluations.inc({ outcome: outcome.status });
      duration.observe(durationMs / 1000);
    },
  };
}
