import { parseLabelSelector } from "../model/label-selector.ts";
import type { SelectorResult } from "../model/label-selector.ts";

/** The query parameters that mean something here; of a repeated one the first value counts, every other one is ignored. */
export interface RequestQuery {
  readonly isWatch: boolean;
  /** What `pretty` asks for; absent when the parameter is missing or empty. */
  readonly isPretty?: boolean;
  /** `labelSelector` as received; empty when missing. */
  readonly rawSelector: string;
  readonly selector: SelectorResult;
  /** Why the `fieldSelector` cannot be honoured; absent when it is empty or names known fields only. */
  readonly fieldSelectorError?: string;
}

const trueTexts: ReadonlySet<string> = new Set(["1", "t", "T", "TRUE", "true", "True"]);
const knownFields: ReadonlySet<string> = new Set(["metadata.name", "metadata.namespace"]);

/** The query of a request without one: everything, once, as it comes. */
export const emptyQuery: RequestQuery = requestQueryFromText("");

/** Reads the part of a URL after the question mark; never fails: what cannot be honoured is said in the result. */
export function requestQueryFromText(text: string): RequestQuery {
  const parameters = new URLSearchParams(text);
  const rawSelector = parameters.get("labelSelector") ?? "";
  const pretty = parameters.get("pretty") ?? "";
  const fieldSelectorError = findFieldSelectorError(parameters.get("fieldSelector") ?? "");
  return {
    isWatch: isWatchRequested(parameters.get("watch")),
    ...(pretty === "" ? {} : { isPretty: trueTexts.has(pretty) }),
    rawSelector,
    selector: parseLabelSelector(rawSelector),
    ...(fieldSelectorError === undefined ? {} : { fieldSelectorError }),
  };
}

/** Present and neither `false` nor `0` (upstream: apimachinery `runtime/conversion.go`, Convert_Slice_string_To_bool). */
function isWatchRequested(value: string | null): boolean {
  return value !== null && value !== "0" && value.toLowerCase() !== "false";
}

function findFieldSelectorError(text: string): string | undefined {
  for (const term of text.split(",")) {
    if (term === "") continue;
    const field = /^(.*?)(?:==|!=|=)/u.exec(term)?.[1];
    if (field === undefined) return `invalid selector: '${text}'; can't understand '${term}'`;
    if (!knownFields.has(field)) return `field label not supported: ${field}`;
  }
  return undefined;
}
