import { Counter, Gauge, Histogram } from "prom-client";
import type { Registry } from "prom-client";
import type { Clock } from "../runtime/clock.ts";
import type { ConnectionSummary } from "./manager.ts";
import { pollOutcomes } from "./outcome.ts";
import { dropReasons } from "./poll-observer.ts";
import type { PollObserver } from "./poll-observer.ts";

/** Counts what it is told of, and at each scrape what the summaries show. */
export interface PollerMetrics extends PollObserver {
  /** Where the gauges that are worked out at a scrape come from; before the first call they have no series. */
  readSummaries(summaries: () => readonly ConnectionSummary[]): void;
}

/** Quantiles of the sample age that are exported; 1 is the oldest sample. */
const ageQuantiles = [0.5, 0.99, 1];

/**
 * Registers the metrics of polling. Labels are the names of connections, which the configuration bounds; never a queue or a query. The
 * series of a connection start at 0 when it is added and go with it.
 */
export function createPollerMetrics(registry: Registry, clock: Clock): PollerMetrics {
  const metrics = registerEvents(registry);
  let summaries: () => readonly ConnectionSummary[] = () => [];
  registerSummaries(registry, () => summaries());
  return {
    readSummaries: (read) => {
      summaries = read;
    },
    connectionAdded: (connection) => {
      for (const outcome of pollOutcomes) metrics.polls.inc({ connection, outcome }, 0);
      for (const reason of dropReasons) metrics.dropped.inc({ connection, reason }, 0);
      metrics.listenerFailures.inc({ connection }, 0);
      metrics.duration.zero({ connection });
    },
    connectionRemoved: (connection) => {
      for (const outcome of pollOutcomes) metrics.polls.remove({ connection, outcome });
      for (const reason of dropReasons) metrics.dropped.remove({ connection, reason });
      metrics.listenerFailures.remove({ connection });
      metrics.duration.remove({ connection });
      metrics.lastSuccess.remove({ connection });
    },
    polled: ({ connection, outcome }) => {
      metrics.polls.inc({ connection, outcome });
      if (outcome === "Read") metrics.lastSuccess.set({ connection }, clock.now() / 1_000);
    },
    fetched: (connection, durationMs) => {
      metrics.duration.observe({ connection }, durationMs / 1_000);
    },
    dropped: (connection, reason) => metrics.dropped.inc({ connection, reason }),
    listenerFailed: (connection) => metrics.listenerFailures.inc({ connection }),
  };
}

function registerEvents(registry: Registry) {
  const registers = [registry];
  return {
    polls: new Counter({
      name: "leadline_polls_total",
      help: "Polls of single queries that ended, by connection and outcome: Read, Refused (older than what is held) or the failure's code.",
      labelNames: ["connection", "outcome"],
      registers,
    }),
    duration: new Histogram({
      name: "leadline_poll_duration_seconds",
      help: "Seconds that one call of a source took for all the queries it was asked for, at most its timeout.",
      labelNames: ["connection"],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    lastSuccess: new Gauge({
      name: "leadline_poll_last_success_timestamp_seconds",
      help: "Unix time in seconds of the last successful poll of any query of the connection; absent before the first.",
      labelNames: ["connection"],
      registers,
    }),
    dropped: new Counter({
      name: "leadline_poll_dropped_reports_total",
      help: "Reports of a source that were not taken: Late (after the deadline), Duplicate or Foreign (not asked for).",
      labelNames: ["connection", "reason"],
      registers,
    }),
    listenerFailures: new Counter({
      name: "leadline_poll_listener_failures_total",
      help: "Outcomes whose evaluation threw: a fault of Leadline's own.",
      labelNames: ["connection"],
      registers,
    }),
  };
}

function registerSummaries(registry: Registry, read: () => readonly ConnectionSummary[]): void {
  new Gauge({
    name: "leadline_queries",
    help: "Queries by how their last poll ended: read (also absent where that is allowed), failing, pending (none has ended) or hung (held by a call long past its deadline).",
    labelNames: ["connection", "state"],
    registers: [registry],
    collect() {
      this.reset();
      for (const { connection, counts } of read()) {
        for (const [state, count] of Object.entries(counts)) this.set({ connection, state }, count);
      }
    },
  });
  new Gauge({
    name: "leadline_sample_age_seconds",
    help: "Age in seconds of the newest reading of each query, as quantiles over the queries of a connection; 1 is the oldest. Absent while none was read.",
    labelNames: ["connection", "quantile"],
    registers: [registry],
    collect() {
      this.reset();
      for (const { connection, sampleAgesMs } of read()) {
        const sorted = sampleAgesMs.toSorted((a, b) => a - b);
        for (const quantile of ageQuantiles) {
          // Nearest rank: an age that some sample has, never one in between.
          const ageMs = sorted[Math.ceil(quantile * sorted.length) - 1];
          if (ageMs !== undefined) this.set({ connection, quantile }, ageMs / 1_000);
        }
      }
    },
  });
}
