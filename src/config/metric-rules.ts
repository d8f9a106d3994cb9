import { canonicalLabels } from "../model/labels.ts";
import type { ConfigPath, Problem } from "./diagnostics.ts";
import { errorAt } from "./diagnostics.ts";
import { quoteText } from "./quote-text.ts";
import type { ParsedSection } from "./file-section.ts";
import type { SignalConfig } from "./schema.ts";

/** Names that a request can never reach: discovery's own entry, and what request parsing takes for sub-resources of the namespace (upstream: apiserver `pkg/endpoints/request/requestinfo.go`). */
const reservedNames: readonly string[] = ["externalmetrics", "status", "finalize"];

const labelName = "[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?";
const dnsLabel = "[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?";
/** Key of a selector (upstream: apimachinery `pkg/util/validation`, IsQualifiedName). */
const labelKey = new RegExp(`^(?:(?=[^/]{1,253}/)${dnsLabel}(?:\\.${dnsLabel})*/)?${labelName}$`);
const labelValue = new RegExp(`^${labelName}$`);

/** Name under which a signal is served: as written, else the signal's own name. */
export function metricNameOf(config: SignalConfig): string {
  return config.spec.metric.name ?? config.metadata.name;
}

/** Whether one metric can be asked for at all: its name in a URL, its labels in a selector. */
export function metricProblems({ path, config }: ParsedSection<SignalConfig>): readonly Problem[] {
  const metricPath = [...path, "spec", "metric"];
  const finding = nameFinding(metricNameOf(config));
  const problems = finding === undefined ? [] : [errorAt(namePath(path, config), finding)];
  for (const [key, value] of Object.entries(config.spec.metric.labels)) {
    problems.push(...labelProblems([...metricPath, "labels", key], key, value));
  }
  return problems;
}

function nameFinding(name: string): string | undefined {
  if (reservedNames.includes(name.toLowerCase())) {
    return `metric name "${name}" is reserved by the API: requests for it never arrive`;
  }
  // client-go refuses these in a path segment, so an HPA cannot ask for them (upstream: client-go `rest/request.go`, IsValidPathSegmentName).
  if (name === "." || name === ".." || /[/%]/.test(name)) {
    return `expected a metric name without "/" and "%" that is not "." or ".."; found ${quoteText(name)}`;
  }
  return undefined;
}

function labelProblems(path: ConfigPath, key: string, value: string): readonly Problem[] {
  const problems: Problem[] = [];
  if (!labelKey.test(key)) {
    const message = `no Kubernetes selector can express label key ${quoteText(key)}; expected [PREFIX/]NAME, NAME of 1 to 63 letters, digits, '-', '_', '.'`;
    problems.push({ severity: "error", path, target: "key", message });
  }
  if (!labelValue.test(value)) {
    const message = `no Kubernetes selector can express label value ${quoteText(value)}; expected 1 to 63 letters, digits, '-', '_', '.', the first and last a letter or digit`;
    problems.push(errorAt(path, message));
  }
  return problems;
}

/** Metrics of one namespace that cannot be told apart: names that differ in case alone, or the same name with the same labels. */
export function metricConflicts(
  sections: readonly ParsedSection<SignalConfig>[],
): readonly Problem[] {
  const spellings = new Map<string, string>();
  const served = new Map<string, string>();
  return sections.flatMap(({ path, config }) => {
    const { namespace, name } = config.metadata;
    const metricName = metricNameOf(config);
    // The API lower-cases names: client-go does it to every path it builds.
    const lookup = `${namespace}/${metricName.toLowerCase()}`;
    const spelling = firstOf(spellings, lookup, metricName);
    if (spelling !== metricName) {
      const message = `metric name "${metricName}" differs from "${spelling}" only in case, and requests do not tell case`;
      return [errorAt(namePath(path, config), message)];
    }
    const owner = firstOf(served, `${lookup}{${canonicalLabels(config.spec.metric.labels)}}`, name);
    // The same signal twice is reported as such.
    if (owner === name) return [];
    const message = `signal "${namespace}/${owner}" already serves metric "${metricName}" with the same labels`;
    return [errorAt(namePath(path, config), message)];
  });
}

/** What the map holds for the key, after putting `value` there if it held nothing. */
function firstOf(map: Map<string, string>, key: string, value: string): string {
  const first = map.get(key) ?? value;
  map.set(key, first);
  return first;
}

function namePath(path: ConfigPath, config: SignalConfig): ConfigPath {
  const isOwn = config.spec.metric.name === undefined;
  return isOwn ? [...path, "metadata", "name"] : [...path, "spec", "metric", "name"];
}
