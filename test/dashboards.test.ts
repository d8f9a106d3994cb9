import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { createEngine } from "../src/app/engine.ts";
import { createApiServerMetrics, createCertificateMetrics } from "../src/apiserver/metrics.ts";
import { createConfigMetrics } from "../src/config/metrics.ts";
import { createRegistry } from "../src/observability/registry.ts";
import { systemClock } from "../src/runtime/clock.ts";
import { memoryLog } from "./fakes/memory-log.ts";

const folder = fileURLToPath(new URL("../dashboards", import.meta.url));

/** Names of everything that a server process exports. */
function exportedMetrics(): ReadonlySet<string> {
  const registry: Registry = createRegistry({ version: "0.0.0", node: "v0" });
  createApiServerMetrics(registry);
  createCertificateMetrics(registry, () => 0);
  createConfigMetrics(registry);
  createEngine({
    clock: systemClock,
    random: () => 0.5,
    environment: {},
    logger: memoryLog(systemClock).logger,
    registry,
    build: { version: "0.0.0", platform: "linux/amd64" },
  });
  return new Set(registry.getMetricsAsArray().map(({ name }) => name));
}

describe("dashboards/", () => {
  const exported = exportedMetrics();
  const named = readdirSync(folder).flatMap((file) => {
    const text = readFileSync(`${folder}/${file}`, "utf8");
    return [...text.matchAll(/\b(?:leadline|apiserver)_[a-z_]+\b/gu)].map(([name]) => ({
      file,
      name,
    }));
  });

  it("names metrics at all", () => {
    expect(named.length).toBeGreaterThan(8);
  });

  it.each(named)("$file: $name is exported", ({ name }) => {
    expect(exported).toContain(name.replace(/_(?:bucket|sum|count)$/u, ""));
  });

  it("gives every alert a summary, a description and a severity", () => {
    interface Rules {
      groups: { rules: { alert: string; annotations: object; labels: object }[] }[];
    }
    const { groups } = parse(readFileSync(`${folder}/alerts.yaml`, "utf8")) as Rules;
    for (const rule of groups.flatMap(({ rules }) => rules)) {
      expect(Object.keys(rule.annotations), rule.alert).toEqual(["summary", "description"]);
      expect(Object.keys(rule.labels), rule.alert).toEqual(["severity"]);
    }
  });
});
