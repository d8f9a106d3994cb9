import express from "express";
import type { Express, NextFunction, Request, Response } from "express";
import type { Status } from "../model/status.ts";
import { errorFromUnknown } from "../runtime/errors.ts";
import type { HealthRegistry, Probe } from "../runtime/health.ts";
import type { AccessControl } from "./access-control.ts";
import { objectAnswer, sendAnswer, statusAnswer } from "./answer.ts";
import type { Answer } from "./answer.ts";
import { apiGroup, basePath } from "./api-group.ts";
import {
  aggregatedDiscovery,
  apiGroupDocument,
  apiGroupListDocument,
  apiResourceListDocument,
  rootPathsDocument,
} from "./discovery.ts";
import type { LogThrottle } from "./log-throttle.ts";
import type { Logger } from "../runtime/logger.ts";
import { negotiateDiscovery } from "./negotiation.ts";
import type { Negotiator } from "./negotiation.ts";
import { answerCheck, answerProbe } from "./probes.ts";
import type { RequestInfo, RequestInfoResolver } from "./request-info.ts";
import { emptyQuery } from "./request-query.ts";
import { StatusError, statusFromError } from "./status-error.ts";
import {
  internalErrorStatus,
  malformedPathStatus,
  methodNotAllowedStatus,
  notAcceptableStatus,
  pathNotFoundStatus,
} from "./statuses.ts";
import type { VersionInfo } from "./version.ts";

/** What the application needs. */
export interface AppOptions {
  readonly accessControl: AccessControl;
  readonly resolver: RequestInfoResolver;
  readonly negotiator: Negotiator;
  readonly health: HealthRegistry;
  readonly version: VersionInfo;
  readonly logger: Logger;
  readonly throttle: LogThrottle;
}

/** Makes the answer to a request that was let in. */
type Handler = (request: Request) => Answer;

const probes: readonly Probe[] = ["healthz", "livez", "readyz"];

/** Everything but the read of values, in the order in which a request meets it: access, route, 404, error. */
export function createApp(options: AppOptions): Express {
  const app = createExpress();
  app.use(accessHandler(options));
  const serve = (path: string, handler: Handler): void => {
    app
      .route(path)
      .get(send(handler))
      .all(send((request) => failureAnswer(options, request, methodNotAllowedStatus)));
  };
  serve("/", (request) => documentAnswer(options, request, rootPathsDocument));
  serve("/apis", (request) => groupListAnswer(options, request));
  for (const suffix of ["", "/"]) {
    serve(`/apis/${apiGroup}${suffix}`, (request) =>
      documentAnswer(options, request, apiGroupDocument),
    );
    serve(`${basePath}${suffix}`, (request) =>
      documentAnswer(options, request, apiResourceListDocument),
    );
  }
  serve("/version", (request) => documentAnswer(options, request, options.version));
  for (const probe of probes) {
    serve(`/${probe}`, (request) => probeAnswer(options, request, probe));
    serve(`/${probe}/:check`, (request) => checkAnswer(options, request, probe));
  }
  app.use(send((request) => fallbackAnswer(options, request)));
  app.use(errorHandler(options));
  return app;
}

/** Express with everything turned off that adds a header, a redirect or a parser. */
function createExpress(): Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.set("query parser", false);
  app.enable("case sensitive routing");
  app.enable("strict routing");
  return app;
}

function send(handler: Handler): (request: Request, response: Response) => void {
  return (request, response) => sendAnswer(request, response, handler(request));
}

function accessHandler(options: AppOptions) {
  return async (request: Request, response: Response, next: NextFunction): Promise<void> => {
    const { attributes } = requestInfo(options, request);
    const access = await options.accessControl.check(request, attributes);
    if (access.status === "granted") next();
    else sendAnswer(request, response, failureAnswer(options, request, access.failure));
  };
}

function groupListAnswer(options: AppOptions, request: Request): Answer {
  const form = negotiateDiscovery(request.headers.accept ?? "");
  if (form === undefined || form === "Legacy") {
    const answer = documentAnswer(options, request, apiGroupListDocument);
    return { ...answer, headers: [...answer.headers, "Vary", "Accept"] };
  }
  const { body, etag, contentType } = aggregatedDiscovery[form];
  const headers = ["Cache-Control", "public", "ETag", etag, "Vary", "Accept"];
  if (request.headers["if-none-match"] === etag) return { code: 304, headers, body: "" };
  return { code: 200, headers: [...headers, "Content-Type", contentType], body };
}

function documentAnswer(options: AppOptions, request: Request, document: object): Answer {
  const { negotiator } = options;
  const negotiated = negotiator.negotiate(request);
  if (negotiated.format === undefined) return failureAnswer(options, request, notAcceptableStatus);
  const { query } = requestInfo(options, request);
  const isPretty = negotiator.isPretty(request, query, negotiated);
  return objectAnswer(200, document, { format: negotiated.format, isPretty });
}

function probeAnswer(options: AppOptions, request: Request, probe: Probe): Answer {
  const questionMark = request.originalUrl.indexOf("?");
  const query = questionMark < 0 ? "" : request.originalUrl.slice(questionMark + 1);
  const { answer, failures } = answerProbe(options.health, probe, query);
  const suppressed = failures.length === 0 ? undefined : options.throttle.admit(probe);
  if (suppressed !== undefined)
    options.logger.warn({ probe, failures, suppressed }, "Probe failed");
  return answer;
}

function checkAnswer(options: AppOptions, request: Request, probe: Probe): Answer {
  const { check } = request.params;
  const name = typeof check === "string" ? check : "";
  return (
    answerCheck(options.health, probe, name) ?? failureAnswer(options, request, pathNotFoundStatus)
  );
}

/** A read of values gets here only with a wrong method. */
function fallbackAnswer(options: AppOptions, request: Request): Answer {
  const isMetric = requestInfo(options, request).metric !== undefined;
  return failureAnswer(options, request, isMetric ? methodNotAllowedStatus : pathNotFoundStatus);
}

function errorHandler(options: AppOptions) {
  // Express knows an error handler by its four parameters.
  return (reason: unknown, request: Request, response: Response, _next: NextFunction): void => {
    const failure = statusFromError(reason);
    const suppressed =
      failure === internalErrorStatus ? options.throttle.admit("app-fault") : undefined;
    if (suppressed !== undefined)
      options.logger.error({ err: errorFromUnknown(reason), suppressed }, "Request failed");
    // Express' own answer to a second fault would be HTML with a stack in it.
    try {
      sendAnswer(request, response, failureAnswer(options, request, failure));
    } catch {
      sendAnswer(request, response, statusAnswer(failure, { format: "Json", isPretty: false }));
    }
  };
}

/** A failure in the format that the request accepts, JSON where it accepts none of ours. */
function failureAnswer(options: AppOptions, request: Request, failure: Status): Answer {
  const { negotiator, resolver } = options;
  const negotiated = negotiator.negotiate(request);
  const query = resolver.resolve(request.method, request.originalUrl)?.query ?? emptyQuery;
  return statusAnswer(failure, {
    format: negotiated.format ?? "Json",
    isPretty: negotiator.isPretty(request, query, negotiated),
  });
}

function requestInfo(options: AppOptions, request: Request): RequestInfo {
  const info = options.resolver.resolve(request.method, request.originalUrl);
  if (info === undefined) throw new StatusError(malformedPathStatus);
  return info;
}
