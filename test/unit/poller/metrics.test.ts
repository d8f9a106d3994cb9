import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { createPollerMetrics } from "../../../src/poller/metrics.ts";
import { createStoreMetrics } from "../../../src/store/metrics.ts";
import { FakeClock } from "../../fakes/fake-clock.ts";

/** The series of one family, without help and type. */
async function series(registry: Registry, name: string): Promise<readonly string[]> {
  const text = await registry.getSingleMetricAsString(name);
  return text.split("\n").filter((line) => !line.startsWith("#"));
}

function start() {
  const registry = new Registry();
  const clock = new FakeClock(1_700_000_000_000);
  const metrics = createPollerMetrics(registry, clock);
  return { registry, clock, metrics };
}

const families = [
  "leadline_polls_total",
  "leadline_poll_duration_seconds",
  "leadline_poll_last_success_timestamp_seconds",
  "leadline_poll_dropped_reports_total",
  "leadline_poll_listener_failures_total",
  "leadline_queries",
  "leadline_sample_age_seconds",
];

describe("poller metrics", () => {
  it("start at 0 for each outcome of a connection, so that the first failure is seen as a rise", async () => {
    const { registry, metrics } = start();
    metrics.connectionAdded("jobs");
    const outcomes = [
      ...["Read", "Refused", "NotFound", "PermissionDenied", "Unauthenticated"],
      ...["InvalidArgument", "FailedPrecondition", "DataLoss", "ResourceExhausted"],
      ...["DeadlineExceeded", "Unavailable", "Internal"],
    ];
    expect(await series(registry, "leadline_polls_total")).toEqual(
      outcomes.map((outcome) => `leadline_polls_total{connection="jobs",outcome="${outcome}"} 0`),
    );
    expect(await series(registry, "leadline_poll_dropped_reports_total")).toEqual(
      ["Foreign", "Duplicate", "Late"].map(
        (reason) => `leadline_poll_dropped_reports_total{connection="jobs",reason="${reason}"} 0`,
      ),
    );
  });

  it("have no time of the last success before there is one, then seconds since the epoch", async () => {
    const { registry, clock, metrics } = start();
    const name = "leadline_poll_last_success_timestamp_seconds";
    metrics.connectionAdded("jobs");
    metrics.polled({ connection: "jobs", queryKey: "a", outcome: "NotFound" });
    expect(await series(registry, name)).toEqual([]);
    await clock.advance(1_500);
    metrics.polled({ connection: "jobs", queryKey: "a", outcome: "Read" });
    expect(await series(registry, name)).toEqual([`${name}{connection="jobs"} 1700000001.5`]);
  });

  it("count polls, calls, dropped reports and failures of listeners", async () => {
    const { registry, metrics } = start();
    metrics.connectionAdded("jobs");
    metrics.polled({ connection: "jobs", queryKey: "a", outcome: "Unavailable" });
    metrics.fetched("jobs", 30);
    metrics.dropped("jobs", "Late");
    metrics.listenerFailed("jobs", new Error("x"));
    const text = await registry.metrics();
    for (const line of [
      'leadline_polls_total{connection="jobs",outcome="Unavailable"} 1',
      'leadline_poll_duration_seconds_bucket{le="0.025",connection="jobs"} 0',
      'leadline_poll_duration_seconds_bucket{le="0.05",connection="jobs"} 1',
      'leadline_poll_duration_seconds_sum{connection="jobs"} 0.03',
      'leadline_poll_dropped_reports_total{connection="jobs",reason="Late"} 1',
      'leadline_poll_listener_failures_total{connection="jobs"} 1',
    ]) {
      expect(text.split("\n")).toContain(line);
    }
  });

  it("work out states and ages at the scrape: nearest rank, in seconds, nothing where nothing was read", async () => {
    const { registry, metrics } = start();
    const counts = { pending: 1, read: 100, failing: 2, hung: 0 };
    const sampleAgesMs = Array.from({ length: 100 }, (_, index) => (100 - index) * 100);
    metrics.readSummaries(() => [
      { connection: "jobs", counts, sampleAgesMs },
      { connection: "gone", counts: { ...counts, read: 0 }, sampleAgesMs: [] },
    ]);
    expect(await series(registry, "leadline_sample_age_seconds")).toEqual([
      'leadline_sample_age_seconds{connection="jobs",quantile="0.5"} 5',
      'leadline_sample_age_seconds{connection="jobs",quantile="0.99"} 9.9',
      'leadline_sample_age_seconds{connection="jobs",quantile="1"} 10',
    ]);
    expect((await series(registry, "leadline_queries")).slice(0, 4)).toEqual([
      'leadline_queries{connection="jobs",state="pending"} 1',
      'leadline_queries{connection="jobs",state="read"} 100',
      'leadline_queries{connection="jobs",state="failing"} 2',
      'leadline_queries{connection="jobs",state="hung"} 0',
    ]);
  });

  it("of a removed connection go with it", async () => {
    const { registry, metrics } = start();
    metrics.connectionAdded("jobs");
    metrics.polled({ connection: "jobs", queryKey: "a", outcome: "Read" });
    metrics.fetched("jobs", 30);
    metrics.connectionRemoved("jobs");
    for (const family of families) expect(await series(registry, family)).toEqual([]);
  });
});

describe("store metrics", () => {
  it("count what is held at the scrape", async () => {
    const registry = new Registry();
    createStoreMetrics(registry, () => ({ queries: 2, readings: 5, capacity: 122 }));
    expect(
      (await registry.metrics()).split("\n").filter((line) => line.startsWith("leadline")),
    ).toEqual([
      "leadline_store_queries 2",
      "leadline_store_readings 5",
      "leadline_store_readings_capacity 122",
    ]);
  });
});
