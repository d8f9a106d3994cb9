import { statusFailure } from "../model/status.ts";
import type { Status } from "../model/status.ts";
import type { RequestAttributes } from "./authorizer.ts";

/** 401: nobody who is known. Says no more, so that a guess teaches nothing. */
export const unauthorizedStatus: Status = statusFailure("Unauthorized", "Unauthorized");

/** 400 for a target that is no path, or does not decode: what it asks for cannot be told, so nothing can be authorized. */
export const malformedPathStatus: Status = statusFailure(
  "BadRequest",
  "the request's target is not a path in valid percent-encoding",
);

/** 400 for a request that wants to become another protocol. */
export const upgradeStatus: Status = statusFailure("BadRequest", "upgrade is not supported");

/** 400 for HTTP/1.1 without a Host header (RFC 9112, section 3.2). */
export const missingHostStatus: Status = statusFailure(
  "BadRequest",
  "missing required Host header",
);

/** 404 for a path that is none of ours. */
export const pathNotFoundStatus: Status = statusFailure(
  "NotFound",
  "the server could not find the requested resource",
  {},
);

/** 405 for anything but GET. */
export const methodNotAllowedStatus: Status = statusFailure(
  "MethodNotAllowed",
  "the server does not allow this method on the requested resource",
  {},
);

/** 405 for a watch: values change all the time and nobody keeps their history. */
export const watchNotSupportedStatus: Status = statusFailure(
  "MethodNotAllowed",
  'watch is not supported on resources of kind "*.external.metrics.k8s.io"',
  {},
);

/** 406: no clause of the Accept header names something we write. */
export const notAcceptableStatus: Status = statusFailure(
  "NotAcceptable",
  "only the following media types are accepted: application/json, application/yaml",
  {},
);

/** 403 for impersonation, which is kube-apiserver's business: it sends the impersonated user as the user. */
export const impersonationStatus: Status = statusFailure(
  "Forbidden",
  "impersonation is not supported: send the request through kube-apiserver",
  {},
);

/** 500 that tells nothing of the inside; the log has the reason. */
export const internalErrorStatus: Status = statusFailure(
  "InternalError",
  "internal error: the reason is in the server's log",
);

/** 503 when too many requests wait at once. Never with Retry-After: the HPA controller's worker would sleep it. */
export const overloadedStatus: Status = statusFailure(
  "ServiceUnavailable",
  "too many requests in flight",
);

/** 504 when a request used up its time. */
export function timeoutStatus(budgetMs: number): Status {
  return statusFailure("Timeout", `no answer within ${budgetMs} ms`);
}

/**
 * 403 in Kubernetes' own words (upstream: apiserver `endpoints/handlers/responsewriters/errors.go`, ForbiddenStatusError).
 * A reason given by the authorizer is appended.
 */
export function forbiddenStatus(
  userName: string,
  attributes: RequestAttributes,
  reason: string,
): Status {
  const finding = forbiddenFinding(userName, attributes);
  const message = reason === "" ? finding : `${finding}: ${reason}`;
  if (attributes.kind === "NonResource")
    return statusFailure("Forbidden", `forbidden: ${message}`, {});
  const { group, resource, name } = attributes;
  const quotedName = name === "" ? "" : ` "${name}"`;
  const qualified = group === "" ? resource : `${resource}.${group}`;
  return statusFailure("Forbidden", `${qualified}${quotedName} is forbidden: ${message}`, {
    ...(name === "" ? {} : { name }),
    ...(group === "" ? {} : { group }),
    kind: resource,
  });
}

function forbiddenFinding(userName: string, attributes: RequestAttributes): string {
  const { verb } = attributes;
  if (attributes.kind === "NonResource")
    return `User "${userName}" cannot ${verb} path "${attributes.path}"`;
  const { resource, subresource, group, namespace } = attributes;
  const target = subresource === "" ? resource : `${resource}/${subresource}`;
  const scope = namespace === "" ? "at the cluster scope" : `in the namespace "${namespace}"`;
  return `User "${userName}" cannot ${verb} resource "${target}" in API group "${group}" ${scope}`;
}
