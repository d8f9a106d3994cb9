import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Status } from "../model/status.ts";
import type { Clock } from "../runtime/clock.ts";
import { errorFromUnknown } from "../runtime/errors.ts";
import { sendAnswer, statusAnswer } from "./answer.ts";
import type { Answer } from "./answer.ts";
import { basePath } from "./api-group.ts";
import type { RequestAttributes } from "./authorizer.ts";
import type { LogThrottle } from "./log-throttle.ts";
import type { Logger } from "../runtime/logger.ts";
import type { MetricPath, MetricRequestInfo } from "./metric-path.ts";
import type { ApiServerMetrics, MeasuredVerb } from "./metrics.ts";
import type { RequestInfo, RequestInfoResolver } from "./request-info.ts";
import {
  internalErrorStatus,
  malformedPathStatus,
  missingHostStatus,
  overloadedStatus,
  upgradeStatus,
} from "./statuses.ts";

/** What the listener needs. */
export interface ListenerOptions {
  readonly metricPath: MetricPath;
  /** Answers everything but reads of values. */
  readonly app: RequestListener;
  readonly resolver: RequestInfoResolver;
  readonly metrics: ApiServerMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly throttle: LogThrottle;
  /** Most requests that wait at once; more are answered with 503. */
  readonly maxInFlight: number;
  /** While true, every answer closes its connection, so that clients move to another replica. */
  readonly isDraining: () => boolean;
}

/** One request on its way. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Undefined when the request asks for nothing that can be told. */
  readonly info: RequestInfo | undefined;
  readonly startedMs: number;
}

/** Answered even when too many requests wait: without them kube-apiserver takes the whole API away. */
const neverShedPaths: ReadonlySet<string> = new Set([
  "/healthz",
  "/livez",
  "/readyz",
  "/apis",
  basePath,
]);

const readMethods: ReadonlySet<string> = new Set(["GET", "HEAD"]);

const plainJson = { format: "Json", isPretty: false } as const;

/** The entrance: what cannot be understood is refused, reads of values go the short way, the rest goes to Express. */
export class Listener {
  readonly #options: ListenerOptions;
  #inFlight = 0;

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  /** Takes one request; every way out of it is answered, a fault of our own included. */
  readonly handle = (request: IncomingMessage, response: ServerResponse): void => {
    const startedMs = this.#options.clock.monotonic();
    const { method = "", url = "" } = request;
    // A request with a body is not read to its end, so its connection cannot be used again.
    if (!readMethods.has(method) || this.#options.isDraining()) response.shouldKeepAlive = false;
    const info = this.#options.resolver.resolve(method, url);
    const exchange = { request, response, info, startedMs };
    try {
      this.#dispatch(exchange, info);
    } catch (reason) {
      this.#giveUp(exchange, reason);
    }
  };

  #dispatch(exchange: Exchange, info: RequestInfo | undefined): void {
    const refusal = this.#refusal(exchange.request, info);
    if (info === undefined || refusal !== undefined)
      this.#refuse(exchange, refusal ?? malformedPathStatus);
    else if (isMetricRequest(info) && readMethods.has(exchange.request.method ?? ""))
      this.#answerMetric(exchange, info);
    else this.#passToApp(exchange);
  }

  /** Nothing more is expected of such a connection, unless there is just too much to do. */
  #refuse(exchange: Exchange, failure: Status): void {
    if (failure !== overloadedStatus) exchange.response.shouldKeepAlive = false;
    this.#finish(exchange, statusAnswer(failure, plainJson));
  }

  #refusal(request: IncomingMessage, info: RequestInfo | undefined): Status | undefined {
    if (info === undefined) return malformedPathStatus;
    const { headers } = request;
    if (headers.host === undefined && request.httpVersionMinor > 0) return missingHostStatus;
    if (headers.upgrade !== undefined) return upgradeStatus;
    const isFull = this.#inFlight >= this.#options.maxInFlight;
    return isFull && !neverShedPaths.has(info.path) ? overloadedStatus : undefined;
  }

  #answerMetric(exchange: Exchange, info: MetricRequestInfo): void {
    const { request, startedMs } = exchange;
    const answer = this.#options.metricPath.answer(request, info, startedMs);
    if (!(answer instanceof Promise)) {
      this.#finish(exchange, answer);
      return;
    }
    this.#countInFlight(1);
    void answer
      .catch((reason: unknown) => this.#fault(reason))
      .then((settled) => this.#finish(exchange, settled))
      .catch((reason: unknown) => this.#giveUp(exchange, reason))
      .finally(() => this.#countInFlight(-1));
  }

  #finish(exchange: Exchange, answer: Answer): void {
    // Draining may have begun while the answer was waited for.
    if (this.#options.isDraining()) exchange.response.shouldKeepAlive = false;
    sendAnswer(exchange.request, exchange.response, answer);
    this.#record(exchange.info, answer.code, exchange.startedMs);
  }

  /** The last resort: a plain answer, and when even that cannot be written, none. No fault of ours may end the process. */
  #giveUp(exchange: Exchange, reason: unknown): void {
    try {
      this.#finish(exchange, this.#fault(reason));
    } catch {
      exchange.response.destroy();
    }
  }

  #fault(reason: unknown): Answer {
    const suppressed = this.#options.throttle.admit("listener-fault");
    if (suppressed !== undefined) {
      const err = errorFromUnknown(reason);
      this.#options.logger.error({ err, suppressed }, "Request failed");
    }
    return statusAnswer(internalErrorStatus, plainJson);
  }

  #passToApp({ request, response, info, startedMs }: Exchange): void {
    this.#countInFlight(1);
    response.once("close", () => {
      this.#countInFlight(-1);
      this.#record(info, response.statusCode, startedMs);
    });
    this.#options.app(request, response);
  }

  #countInFlight(delta: 1 | -1): void {
    this.#inFlight += delta;
    this.#options.metrics.addInFlight(delta);
  }

  #record(info: RequestInfo | undefined, code: number, startedMs: number): void {
    this.#options.metrics.recordRequest({
      verb: info === undefined ? "other" : measuredVerb(info.attributes),
      resource: info?.metric === undefined ? "" : "externalmetrics",
      code,
      durationMs: this.#options.clock.monotonic() - startedMs,
    });
  }
}

function isMetricRequest(info: RequestInfo): info is MetricRequestInfo {
  return info.metric !== undefined;
}

function measuredVerb({ verb }: RequestAttributes): MeasuredVerb {
  switch (verb) {
    case "get":
      return "GET";
    case "list":
      return "LIST";
    case "watch":
      return "WATCH";
    default:
      return "other";
  }
}
