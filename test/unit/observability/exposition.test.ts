import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { openMetricsFromText, prefersOpenMetrics } from "../../../src/observability/exposition.ts";

describe("prefersOpenMetrics", () => {
  it.each<[string, string | undefined, boolean]>([
    ["no header", undefined, false],
    ["curl", "*/*", false],
    ["a browser", "text/html,application/xhtml+xml,*/*;q=0.8", false],
    [
      "Prometheus 3",
      "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
      true,
    ],
    [
      "the text format first",
      "text/plain;version=0.0.4;q=0.9,application/openmetrics-text;q=0.5",
      false,
    ],
    ["equal weights", "text/plain, Application/OpenMetrics-Text; version=1.0.0", true],
    ["a weight of 0", "application/openmetrics-text;q=0", false],
    ["a weight that is none", "application/openmetrics-text;q=high", false],
    ["nonsense", ";;,,=", false],
  ])("%s", (_name, accept, expected) => {
    expect(prefersOpenMetrics(accept)).toBe(expected);
  });
});

describe("openMetricsFromText", () => {
  it("names counters by family, escapes help texts, has no empty line and ends with EOF", async () => {
    const registry = new Registry();
    const registers = [registry];
    new Counter({
      name: "polls_total",
      help: 'Polls, "all" of them.',
      labelNames: ["outcome"],
      registers,
    }).inc({ outcome: "# TYPE x_total counter" }, 2);
    new Counter({ name: "odd", help: "No suffix.", registers }).inc();
    new Gauge({ name: "queries", help: "Queries.", registers }).set(3);
    new Histogram({ name: "seconds", help: "Seconds.", buckets: [1], registers }).observe(0.5);
    expect(openMetricsFromText(await registry.metrics())).toBe(
      [
        String.raw`# HELP polls Polls, \"all\" of them.`,
        "# TYPE polls counter",
        'polls_total{outcome="# TYPE x_total counter"} 2',
        "# HELP odd No suffix.",
        "# TYPE odd unknown",
        "odd 1",
        "# HELP queries Queries.",
        "# TYPE queries gauge",
        "queries 3",
        "# HELP seconds Seconds.",
        "# TYPE seconds histogram",
        'seconds_bucket{le="1"} 1',
        'seconds_bucket{le="+Inf"} 1',
        "seconds_sum 0.5",
        "seconds_count 1",
        "# EOF",
        "",
      ].join("\n"),
    );
  });
});
