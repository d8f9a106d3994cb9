import { canonicalLabels } from "../model/labels.ts";
import type { Problem } from "./diagnostics.ts";
import { errorAt } from "./diagnostics.ts";
import { quoteText } from "./quote-text.ts";
import type { FilePart } from "./file-part.ts";
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
export function metricProblems(signal: FilePart<SignalConfig>): readonly Problem[] {
  const name = servedName(signal);
  const finding = name.value === undefined ? undefined : nameFinding(name.value);
  const labels = signal.at("spec").at("metric").at("labels");
  return [
    ...(finding === undefined ? [] : [errorAt(name.path, finding)]),
    ...labels.keys().flatMap((key) => labelProblems(key, labels.at(key))),
  ];
}

/** The place of the name under which a signal is served. Its value is undefined when it is not known which that is. */
function servedName(signal: FilePart<SignalConfig>): FilePart<string | undefined> {
  const own = signal.at("spec").at("metric").at("name");
  const isOwn = own.value !== undefined || !own.isKnown;
  return isOwn ? own : signal.at("metadata").at("name");
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

function labelProblems(key: string, { path, value }: FilePart<string>): readonly Problem[] {
  const problems: Problem[] = [];
  if (!labelKey.test(key)) {
    const message = `no Kubernetes selector can express label key ${quoteText(key)}; expected [PREFIX/]NAME, NAME of 1 to 63 letters, digits, '-', '_', '.'`;
    problems.push({ severity: "error", path, target: "key", message });
  }
  if (value !== undefined && !labelValue.test(value)) {
    const message = `no Kubernetes selector can express label value ${quoteText(value)}; expected 1 to 63 letters, digits, '-', '_', '.', the first and last a letter or digit`;
    problems.push(errorAt(path, message));
  }
  return problems;
}

/** Metrics of one namespace that cannot be told apart: names that differ in case alone, or the same name with the same labels. */
export function metricConflicts(signals: readonly FilePart<SignalConfig>[]): readonly Problem[] {
  const spellings = new Map<string, string>();
  const served = new Map<string, Owner>();
  return signals.flatMap((signal) => {
    const { path, value: metricName } = servedName(signal);
    const namespace = signal.at("metadata").at("namespace").value;
    if (metricName === undefined || namespace === undefined) return [];
    // The API lower-cases names: client-go does it to every path it builds.
    const lookup = `${namespace}/${metricName.toLowerCase()}`;
    const spelling = firstOf(spellings, lookup, metricName);
    if (spelling !== metricName) {
      const message = `metric name "${metricName}" differs from "${spelling}" only in case, and requests do not tell case`;
      return [errorAt(path, message)];
    }
    const labels = signal.at("spec").at("metric").at("labels").value;
    if (labels === undefined) return [];
    const self: Owner = { name: signal.at("metadata").at("name").value };
    const owner = firstOf(served, `${lookup}{${canonicalLabels(labels)}}`, self);
    const isSameSignal = owner.name !== undefined && owner.name === self.name;
    // The same signal twice is reported as such.
    if (owner === self || isSameSignal) return [];
    const shown =
      owner.name === undefined ? "another signal" : `signal "${namespace}/${owner.name}"`;
    return [errorAt(path, `${shown} already serves metric "${metricName}" with the same labels`)];
  });
}

/** The signal that came first with a metric; without a name when that was refused. */
interface Owner {
  readonly name: string | undefined;
}

/** What the map holds for the key, after putting `value` there if it held nothing. */
function firstOf<V>(map: Map<string, V>, key: string, value: V): V {
  const first = map.get(key) ?? value;
  map.set(key, first);
  return first;
}
