import { statusFailure } from "../../src/model/status.ts";
import type {
  ExternalMetricRequest,
  ExternalMetricResult,
  ExternalMetricsProvider,
} from "../../src/apiserver/provider.ts";
import { matchesLabels } from "../../src/model/label-selector.ts";
import type { ExternalMetricValue } from "../../src/apiserver/provider.ts";

/** Serves what it is given, by `namespace/name` in lower case, and remembers what it was asked. */
export class FixedProvider implements ExternalMetricsProvider {
  readonly requests: ExternalMetricRequest[] = [];
  readonly #values: ReadonlyMap<string, readonly ExternalMetricValue[]>;
  /** Answers instead of the values while it is set; may throw. */
  instead: (() => ExternalMetricResult | Promise<ExternalMetricResult>) | undefined;

  constructor(values: Readonly<Record<string, readonly ExternalMetricValue[]>>) {
    this.#values = new Map(Object.entries(values));
  }

  getExternalMetric(
    request: ExternalMetricRequest,
  ): ExternalMetricResult | Promise<ExternalMetricResult> {
    this.requests.push(request);
    if (this.instead !== undefined) return this.instead();
    const { namespace, metricName, selector } = request;
    const values = this.#values.get(`${namespace}/${metricName.toLowerCase()}`);
    if (values === undefined) {
      const message = `the server could not find the metric ${metricName} for namespace ${namespace}`;
      return { status: "failed", failure: statusFailure("NotFound", message) };
    }
    const items = values.filter((value) => matchesLabels(selector, value.metricLabels));
    return { status: "found", items };
  }

  listAllExternalMetrics() {
    return [...this.#values.values()].flatMap((values) =>
      values.map(({ metricName }) => ({ metricName })),
    );
  }
}
