import { Counter, Gauge } from "prom-client";
import type { Registry } from "prom-client";

/** How one try to take over a configuration ended. */
export type ReloadOutcome = "applied" | "unchanged" | "rejected" | "refused" | "unreadable";

const outcomes: readonly ReloadOutcome[] = [
  "applied",
  "unchanged",
  "rejected",
  "refused",
  "unreadable",
];

/** The metrics of configuration (upstream: alertmanager `config/coordinator.go`). */
export interface ConfigMetrics {
  /** Records one try. `applied` and `unchanged` are successes. */
  observe(outcome: ReloadOutcome, nowMs: number): void;
  /** Records which content is in force. `hash` is an integer below 2^48. */
  setHash(hash: number): void;
}

/** Registers the metrics of configuration. */
export function createConfigMetrics(registry: Registry): ConfigMetrics {
  const registers = [registry];
  const hashGauge = new Gauge({
    name: "leadline_config_hash",
    help: "First 48 bits of the SHA-256 of the configuration in force; equal on replicas that run the same one.",
    registers,
  });
  const successful = new Gauge({
    name: "leadline_config_last_reload_successful",
    help: "1 when the last try to take over the configuration succeeded, 0 when the last good one is still in force.",
    registers,
  });
  const timestamp = new Gauge({
    name: "leadline_config_last_reload_success_timestamp_seconds",
    help: "When the configuration was last found acceptable, seconds since the epoch.",
    registers,
  });
  const reloads = new Counter({
    name: "leadline_config_reloads_total",
    help: "Tries to take over the configuration, by outcome.",
    labelNames: ["outcome"],
    registers,
  });
  for (const outcome of outcomes) reloads.inc({ outcome }, 0);
  return {
    observe: (outcome, nowMs) => {
      const isSuccess = outcome === "applied" || outcome === "unchanged";
      reloads.inc({ outcome });
      successful.set(isSuccess ? 1 : 0);
      if (isSuccess) timestamp.set(nowMs / 1000);
    },
    setHash: (hash) => hashGauge.set(hash),
  };
}
