import type { IncomingMessage } from "node:http";
import { statusFailure } from "../model/status.ts";
import type { Status } from "../model/status.ts";
import type { Clock } from "../runtime/clock.ts";
import { errorFromUnknown } from "../runtime/errors.ts";
import type { Access, AccessControl } from "./access-control.ts";
import { noCache, objectAnswer, statusAnswer } from "./answer.ts";
import type { Answer } from "./answer.ts";
import { externalMetricValueListJson } from "./external-metrics.ts";
import type { LogThrottle } from "./log-throttle.ts";
import type { Logger } from "../runtime/logger.ts";
import type { ApiServerMetrics } from "./metrics.ts";
import { contentTypes } from "./negotiation.ts";
import type { Negotiator, Representation } from "./negotiation.ts";
import type { ExternalMetricResult, ExternalMetricsProvider } from "./provider.ts";
import type { RequestInfo } from "./request-info.ts";
import {
  internalErrorStatus,
  notAcceptableStatus,
  timeoutStatus,
  watchNotSupportedStatus,
} from "./statuses.ts";
import { withinBudget } from "./within-budget.ts";

/** What the metric path needs. `budgetMs` bounds the whole answer, access control included. */
export interface MetricPathOptions {
  readonly provider: ExternalMetricsProvider;
  readonly accessControl: AccessControl;
  readonly negotiator: Negotiator;
  readonly metrics: ApiServerMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly throttle: LogThrottle;
  readonly budgetMs: number;
}

/** A request whose path is that of a metric's values. */
export type MetricRequestInfo = RequestInfo & Required<Pick<RequestInfo, "metric">>;

/** One read on its way. */
interface Read {
  readonly request: IncomingMessage;
  readonly info: MetricRequestInfo;
  readonly startedMs: number;
}

const jsonHeaders: readonly string[] = [...noCache, "Content-Type", contentTypes.Json];

/**
 * Answers a read of values, ahead of Express: this is nearly all the traffic. Synchronous as long as nobody must be asked.
 */
export class MetricPath {
  readonly #options: MetricPathOptions;

  constructor(options: MetricPathOptions) {
    this.#options = options;
  }

  /** @param startedMs monotonic instant at which the request came in */
  answer(
    request: IncomingMessage,
    info: MetricRequestInfo,
    startedMs: number,
  ): Answer | Promise<Answer> {
    const read = { request, info, startedMs };
    const access = this.#options.accessControl.check(request, info.attributes);
    return access instanceof Promise
      ? access.then((settled) => this.#afterAccess(read, settled))
      : this.#afterAccess(read, access);
  }

  #afterAccess(read: Read, access: Access): Answer | Promise<Answer> {
    if (access.status === "refused") return this.#failure(read, access.failure);
    const result = this.#read(read);
    return result instanceof Promise
      ? this.#bounded(read, result).then((settled) => this.#encode(read, settled))
      : this.#encode(read, result);
  }

  #read({ request, info }: Read): ExternalMetricResult | Promise<ExternalMetricResult> {
    const { query, metric } = info;
    if (query.isWatch) return failed(watchNotSupportedStatus);
    if (this.#options.negotiator.negotiate(request).format === undefined)
      return failed(notAcceptableStatus);
    if (query.fieldSelectorError !== undefined)
      return failed(statusFailure("BadRequest", query.fieldSelectorError));
    if (query.selector.status === "malformed")
      return failed(statusFailure("BadRequest", query.selector.message));
    try {
      return this.#options.provider.getExternalMetric({
        namespace: metric.namespace,
        metricName: metric.name,
        rawSelector: query.rawSelector,
        selector: query.selector.selector,
      });
    } catch (reason) {
      return this.#fault(request, reason);
    }
  }

  #bounded(read: Read, result: Promise<ExternalMetricResult>): Promise<ExternalMetricResult> {
    const { clock, budgetMs } = this.#options;
    const spentMs = clock.monotonic() - read.startedMs;
    return withinBudget(
      result.catch((reason: unknown) => this.#fault(read.request, reason)),
      {
        clock,
        budgetMs: budgetMs - spentMs,
        onLate: () => failed(timeoutStatus(budgetMs)),
      },
    );
  }

  #fault(request: IncomingMessage, reason: unknown): ExternalMetricResult {
    const suppressed = this.#options.throttle.admit("provider-fault");
    if (suppressed !== undefined) {
      const err = errorFromUnknown(reason);
      const auditId = request.headers["audit-id"];
      this.#options.logger.error({ err, auditId, suppressed }, "Provider failed");
    }
    return failed(internalErrorStatus);
  }

  #encode(read: Read, result: ExternalMetricResult): Answer {
    if (result.status === "failed") return this.#failure(read, result.failure);
    const nowMs = this.#options.clock.now();
    for (const { timestampMs } of result.items)
      this.#options.metrics.recordFreshness(nowMs - timestampMs);
    const body = externalMetricValueListJson(result.items);
    const representation = this.#representation(read);
    if (representation.format === "Json" && !representation.isPretty)
      return { code: 200, headers: jsonHeaders, body };
    // The hand-built text is the one description of the list's shape.
    return objectAnswer(200, JSON.parse(body) as object, representation);
  }

  #failure(read: Read, failure: Status): Answer {
    return statusAnswer(failure, this.#representation(read));
  }

  /** JSON where nothing acceptable is left: an error must be readable. */
  #representation({ request, info }: Read): Representation {
    const { negotiator } = this.#options;
    const negotiated = negotiator.negotiate(request);
    return {
      format: negotiated.format ?? "Json",
      isPretty: negotiator.isPretty(request, info.query, negotiated),
    };
  }
}

function failed(failure: Status): ExternalMetricResult {
  return { status: "failed", failure };
}
