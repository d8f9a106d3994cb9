import { collectDefaultMetrics, Gauge, Registry } from "prom-client";

/** Which build runs; the labels of `leadline_build_info`. */
export interface BuildLabels {
  /** Version of Leadline. */
  readonly version: string;
  /** Version of Node.js, as `process.version` gives it. */
  readonly node: string;
}

/**
 * A registry of its own with what every process shows: process and Node.js metrics under their usual names, and `leadline_build_info`.
 * Several can live in one process.
 */
export function createRegistry({ version, node }: BuildLabels): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: "leadline_build_info",
    help: "Always 1; the labels tell which version runs on which Node.js.",
    labelNames: ["version", "node"],
    registers: [registry],
  }).set({ version, node }, 1);
  return registry;
}
