import { apiGroup, apiVersion, placeholderResource } from "./api-group.ts";
import type { RequestAttributes } from "./authorizer.ts";
import { RecentCache } from "./recent-cache.ts";
import { emptyQuery, requestQueryFromText } from "./request-query.ts";
import type { RequestQuery } from "./request-query.ts";

/** What a request asks for, read from its method and URL. */
export interface RequestInfo {
  /** Decoded once, as Go's `URL.Path`. */
  readonly path: string;
  readonly query: RequestQuery;
  /** What is authorized. */
  readonly attributes: RequestAttributes;
  /** Set when the path is that of a metric's values. */
  readonly metric?: { readonly namespace: string; readonly name: string };
}

type ResourceAttributes = Extract<RequestAttributes, { readonly kind: "Resource" }>;

/** How many different query strings are remembered: each HPA sends the same one every period. */
const queryCacheCapacity = 4096;

const verbs: ReadonlyMap<string, string> = new Map([
  ["GET", "get"],
  ["HEAD", "get"],
  ["POST", "create"],
  ["PUT", "update"],
  ["PATCH", "patch"],
  ["DELETE", "delete"],
]);

/** Segments after which the path itself tells the verb. */
const specialVerbs: ReadonlySet<string> = new Set(["proxy", "watch"]);

/** What directly follows a namespace's name and belongs to the namespace itself. */
const namespaceSubresources: ReadonlySet<string> = new Set(["status", "finalize"]);

/**
 * Tells what a request asks for, exactly as kube-apiserver does, so that both authorize the same thing
 * (upstream: apiserver `pkg/endpoints/request/requestinfo.go`). Remembers the query strings it has read.
 */
export class RequestInfoResolver {
  readonly #queries = new RecentCache(queryCacheCapacity, requestQueryFromText);

  /**
   * Undefined when the target is not a path or does not decode: such a request cannot be authorized and is answered with 400.
   *
   * @param method as received, upper case
   * @param target the request line's target, undecoded
   */
  resolve(method: string, target: string): RequestInfo | undefined {
    const questionMark = target.indexOf("?");
    const path = decodePath(questionMark < 0 ? target : target.slice(0, questionMark));
    if (path?.startsWith("/") !== true) return undefined;
    const query = questionMark < 0 ? emptyQuery : this.#queries.get(target.slice(questionMark + 1));
    const segments = trimSlashes(path).split("/");
    if (segments[0] !== "apis" || segments.length < 4)
      return {
        path,
        query,
        attributes: { kind: "NonResource", path, verb: method.toLowerCase() },
      };
    return resourceInfo(method, path, query, segments);
  }
}

function resourceInfo(
  method: string,
  path: string,
  query: RequestQuery,
  segments: readonly string[],
): RequestInfo {
  const attributes = withListVerb(attributesFrom(method, segments), query);
  const isMetric =
    segments.length === 6 &&
    segments[3] === "namespaces" &&
    attributes.group === apiGroup &&
    attributes.version === apiVersion &&
    attributes.name === "" &&
    attributes.namespace !== "" &&
    attributes.resource !== "" &&
    attributes.resource.toLowerCase() !== placeholderResource;
  if (!isMetric) return { path, query, attributes };
  return {
    path,
    query,
    attributes,
    metric: { namespace: attributes.namespace, name: attributes.resource },
  };
}

/** `segments` are `apis`, group, version and at least one more. */
function attributesFrom(method: string, segments: readonly string[]): ResourceAttributes {
  const isSpecial = specialVerbs.has(at(segments, 3)) && segments.length > 4;
  const { namespace, parts } = namespaceAndParts(segments.slice(isSpecial ? 4 : 3));
  const verb = isSpecial ? at(segments, 3) : (verbs.get(method) ?? "");
  return {
    kind: "Resource",
    verb,
    group: at(segments, 1),
    version: at(segments, 2),
    namespace,
    resource: at(parts, 0),
    name: at(parts, 1),
    subresource: verb === "proxy" ? "" : at(parts, 2),
  };
}

/** Takes a leading `namespaces/NAME` off, unless the rest is about the namespace itself. */
function namespaceAndParts(parts: readonly string[]): {
  readonly namespace: string;
  readonly parts: readonly string[];
} {
  if (parts[0] !== "namespaces") return { namespace: "", parts };
  const isWithin = parts.length > 2 && !namespaceSubresources.has(at(parts, 2));
  return { namespace: at(parts, 1), parts: isWithin ? parts.slice(2) : parts };
}

/** A segment; empty where the path has none, which is how RBAC says "not there". */
function at(segments: readonly string[], index: number): string {
  return segments[index] ?? "";
}

/** Without a name, `get` is really `list` or `watch`, and `delete` is `deletecollection`. */
function withListVerb(attributes: ResourceAttributes, query: RequestQuery): ResourceAttributes {
  const selector =
    query.selector.status === "parsed" && query.selector.selector.requirements.length > 0
      ? { labelSelector: query.selector.selector }
      : undefined;
  let { verb } = attributes;
  if (attributes.name === "" && verb === "get") verb = query.isWatch ? "watch" : "list";
  if (attributes.name === "" && verb === "delete") verb = "deletecollection";
  return { ...attributes, verb, ...selector };
}

/** Undefined also for a path with a fragment: no client sends one, and another reader of the path would cut it off. */
function decodePath(path: string): string | undefined {
  if (path.includes("#")) return undefined;
  if (!path.includes("%")) return path;
  try {
    return decodeURIComponent(path);
  } catch (reason) {
    if (reason instanceof URIError) return undefined;
    throw reason;
  }
}

/** As Go's `strings.Trim(path, "/")`. A loop, since a regular expression is quadratic on a path of many slashes. */
function trimSlashes(path: string): string {
  let start = 0;
  let end = path.length;
  while (start < end && path.charCodeAt(start) === slashCode) start += 1;
  while (end > start && path.charCodeAt(end - 1) === slashCode) end -= 1;
  return path.slice(start, end);
}

const slashCode = 0x2f;
