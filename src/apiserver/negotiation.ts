import type { IncomingMessage } from "node:http";
import { stringify } from "yaml";
import { parseAccept } from "./accept.ts";
import type { AcceptClause } from "./accept.ts";
import { RecentCache } from "./recent-cache.ts";
import type { RequestQuery } from "./request-query.ts";

/** A representation that objects are written in. */
export type Format = "Json" | "Yaml";

/** What the Accept header asks for; undefined format: nothing that we write. */
export interface Negotiated {
  readonly format: Format | undefined;
  /** Whether the clause that won asks for indentation. */
  readonly isPretty: boolean;
}

/** How an object is to be written. */
export interface Representation {
  readonly format: Format;
  readonly isPretty: boolean;
}

/** Which form of the group list is asked for at `/apis`. */
export type DiscoveryForm = "v2" | "v2beta1" | "Legacy";

/** Content types by format. */
export const contentTypes = { Json: "application/json", Yaml: "application/yaml" } as const;

/** A Map: a client can send the name of any property of an object as a media type. */
const formats: ReadonlyMap<string, Format> = new Map([
  ["*/*", "Json"],
  ["application/*", "Json"],
  ["application/json", "Json"],
  ["application/yaml", "Yaml"],
]);

/** Parameters that ask for another object than the one we have (upstream: apiserver `endpoints/handlers/negotiation`). */
const transformations = ["as", "stream"] as const;

const acceptCacheCapacity = 256;
const prettyAgents = ["curl", "Wget", "Mozilla/5.0"] as const;

/** Reads Accept headers and remembers them: clients send few different ones. */
export class Negotiator {
  readonly #objects = new RecentCache(acceptCacheCapacity, negotiateObject);

  /** What to write for a request; JSON when it has no Accept header. */
  negotiate(request: IncomingMessage): Negotiated {
    return this.#objects.get(request.headers.accept ?? "");
  }

  /** Whether to indent: `pretty` decides, then the Accept clause, then whether a human's tool asks. */
  isPretty(request: IncomingMessage, query: RequestQuery, negotiated: Negotiated): boolean {
    if (query.isPretty !== undefined) return query.isPretty;
    const agent = request.headers["user-agent"] ?? "";
    return negotiated.isPretty || prettyAgents.some((prefix) => agent.startsWith(prefix));
  }
}

/** Chooses the form of `/apis`; undefined when nothing that we write is acceptable. Clauses that we cannot follow are skipped. */
export function negotiateDiscovery(accept: string): DiscoveryForm | undefined {
  for (const clause of parseAccept(accept)) {
    const form = discoveryForm(clause);
    if (form !== undefined) return form;
  }
  return undefined;
}

/** An object in a format, ending in a newline. JSON is indented by two spaces when `isPretty`. */
export function encodeObject(object: object, { format, isPretty }: Representation): string {
  switch (format) {
    case "Json":
      return `${JSON.stringify(object, null, isPretty ? 2 : 0)}\n`;
    case "Yaml":
      // Quoted wherever a YAML 1.1 reader, such as kubectl's, would see a number, a date or a boolean; no folding of long messages.
      return stringify(object, { compat: "yaml-1.1", sortMapEntries: true, lineWidth: 0 });
  }
}

function negotiateObject(accept: string): Negotiated {
  for (const { mediaType, parameters } of parseAccept(accept)) {
    const format = formats.get(mediaType);
    const isTransformed = transformations.some((name) => Object.hasOwn(parameters, name));
    if (format !== undefined && !isTransformed)
      return { format, isPretty: parameters["pretty"] === "1" };
  }
  return { format: undefined, isPretty: false };
}

function discoveryForm({ mediaType, parameters }: AcceptClause): DiscoveryForm | undefined {
  if (!formats.has(mediaType)) return undefined;
  const { as, g, v, stream } = parameters;
  if (as === undefined && stream === undefined) return "Legacy";
  const isAggregated =
    mediaType === "application/json" &&
    as === "APIGroupDiscoveryList" &&
    g === "apidiscovery.k8s.io";
  if (!isAggregated) return undefined;
  return v === "v2" || v === "v2beta1" ? v : undefined;
}
