import { Counter, Gauge, Histogram } from "prom-client";
import type { Registry } from "prom-client";

/** Verbs that are told apart in metrics; a client can send any other. */
export type MeasuredVerb = "GET" | "LIST" | "WATCH" | "other";

/** One finished request. */
export interface RequestRecord {
  readonly verb: MeasuredVerb;
  /** `externalmetrics` for a read of values, whatever the metric's name; empty for everything else. */
  readonly resource: "externalmetrics" | "";
  /** HTTP code of the answer. */
  readonly code: number;
  readonly durationMs: number;
}

/** What the API server counts. Labels are bounded: no name that a client chooses becomes one. */
export interface ApiServerMetrics {
  recordRequest(record: RequestRecord): void;
  /** @param ageMs age of a value at the instant it was served; below 0 counts as 0 */
  recordFreshness(ageMs: number): void;
  /** Counts a request that must wait for an answer in (1) or out (-1). */
  addInFlight(delta: 1 | -1): void;
}

/** Registers the metrics of the API server. The request metrics have the names that every Go API server gives them. */
export function createApiServerMetrics(registry: Registry): ApiServerMetrics {
  const requests = new Counter({
    name: "apiserver_request_total",
    help: "Requests answered, by verb, resource and HTTP code.",
    labelNames: ["verb", "resource", "code"],
    registers: [registry],
  });
  const durations = new Histogram({
    name: "apiserver_request_duration_seconds",
    help: "Time from a request's head to the end of its answer, in seconds.",
    labelNames: ["verb", "resource"],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  const inFlight = new Gauge({
    name: "apiserver_current_inflight_requests",
    help: "Requests that wait for an answer from elsewhere, such as an access review.",
    registers: [registry],
  });
  const freshness = new Histogram({
    name: "leadline_metric_freshness_seconds",
    help: "Age of each value at the instant it was served, in seconds.",
    buckets: [0.5, 1, 2.5, 5, 10, 15, 20, 30, 45, 60, 90, 120, 300, 600],
    registers: [registry],
  });
  requests.inc({ verb: "LIST", resource: "externalmetrics", code: "200" }, 0);
  return {
    recordRequest({ verb, resource, code, durationMs }) {
      requests.inc({ verb, resource, code: String(code) });
      durations.observe({ verb, resource }, durationMs / 1000);
    },
    recordFreshness(ageMs) {
      freshness.observe(Math.max(0, ageMs) / 1000);
    },
    addInFlight(delta) {
      inFlight.inc(delta);
    },
  };
}

/**
 * Registers the end of the serving certificate's validity, looked up at each scrape.
 *
 * @param readNotAfterMs milliseconds since the epoch
 */
export function createCertificateMetrics(registry: Registry, readNotAfterMs: () => number): void {
  new Gauge({
    name: "leadline_serving_certificate_not_after_timestamp_seconds",
    help: "End of the serving certificate's validity, Unix time in seconds.",
    registers: [registry],
    collect() {
      this.set(readNotAfterMs() / 1000);
    },
  });
}
