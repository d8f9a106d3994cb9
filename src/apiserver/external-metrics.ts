import { rfc3339FromMs } from "../model/timestamp.ts";
import { groupVersion, listKind } from "./api-group.ts";
import type { ExternalMetricValue } from "./provider.ts";

const prefix = `{"kind":"${listKind}","apiVersion":"${groupVersion}","metadata":{},"items":[`;

/**
 * Values as an `ExternalMetricValueList` in JSON, ending in a newline (upstream: metrics `external_metrics/v1beta1/types.go`). Put together
 * by hand, since this is the body of nearly every answer. `items` is never null, a quantity is always a string.
 */
export function externalMetricValueListJson(items: readonly ExternalMetricValue[]): string {
  return `${prefix}${items.map(itemJson).join(",")}]}\n`;
}

function itemJson(item: ExternalMetricValue): string {
  const window =
    item.windowSeconds === undefined ? "" : `"window":${Math.round(item.windowSeconds)},`;
  return (
    `{"metricName":${JSON.stringify(item.metricName)},"metricLabels":${labelsJson(item)},` +
    `"timestamp":"${rfc3339FromMs(item.timestampMs)}",${window}"value":${JSON.stringify(item.value)}}`
  );
}

/** Sorted by key, as Go writes a map. */
function labelsJson({ metricLabels }: ExternalMetricValue): string {
  const keys = Object.keys(metricLabels);
  if (keys.length > 1) keys.sort();
  const pairs = keys.map((key) => `${JSON.stringify(key)}:${JSON.stringify(metricLabels[key])}`);
  return `{${pairs.join(",")}}`;
}
