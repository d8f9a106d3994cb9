import type { PollingConfig } from "../schema/polling.ts";
import { sourceTypes } from "../sources/registry.ts";
import { sourceTypeNames } from "../sources/schema.ts";
import type { SourceTypeName } from "../sources/source-type.ts";
import type { Problem } from "./diagnostics.ts";
import { errorAt } from "./diagnostics.ts";
import type { FilePart } from "./file-part.ts";
import type { PolledSource } from "./input-plan.ts";
import { pollingPlan } from "./input-plan.ts";
import { nearestKey } from "./nearest-key.ts";
import type { InputConfig, SignalConfig } from "./schema.ts";

/** A connection that inputs can refer to. `polling` is absent when that was refused, which was said already. */
export interface KnownConnection {
  readonly polling?: PollingConfig;
}

/** Connections of the file by name. */
export type KnownConnections = ReadonlyMap<string, KnownConnection>;

/** Words that CEL keeps for itself (upstream: cel-spec `doc/langdef.md`, RESERVED and the literals). */
const celWords: ReadonlySet<string> = new Set([
  ...["true", "false", "null", "in", "as", "break", "const", "continue", "else", "for"],
  ...["function", "if", "import", "let", "loop", "package", "namespace", "return", "var"],
  ...["void", "while"],
]);

/** Everything about the inputs of a signal that their schema cannot tell. */
export function inputProblems(
  signal: FilePart<SignalConfig>,
  connections: KnownConnections,
): readonly Problem[] {
  const seen = new Set<string>();
  return inputsOf(signal).flatMap((input) => {
    const sources = writtenSources(input).flatMap((typeName) =>
      sourceProblems(input, typeName, connections),
    );
    const name = input.at("name");
    if (name.value === undefined) return sources;
    const finding = nameFinding(name.value, seen);
    seen.add(name.value);
    return finding === undefined ? sources : [errorAt(name.path, finding), ...sources];
  });
}

/** The inputs of a signal as written. */
export function inputsOf(signal: FilePart<SignalConfig>): readonly FilePart<InputConfig>[] {
  return signal.at("spec").at("inputs").elements();
}

/** The sources that an input names: one, unless the input is refused. */
export function writtenSources(input: FilePart<InputConfig>): readonly SourceTypeName[] {
  return sourceTypeNames.filter((typeName) => input.keys().includes(typeName));
}

function nameFinding(name: string, seen: ReadonlySet<string>): string | undefined {
  if (seen.has(name)) return `another input of this signal is named "${name}"`;
  if (celWords.has(name)) return `"${name}" is a word of CEL; an input needs another name`;
  if (name === "__proto__") {
    return '"__proto__" is a word of the runtime; an input needs another name';
  }
  if (name === "workload") {
    return '"workload" is reserved for workload.replicas and its like; an input needs another name';
  }
  return undefined;
}

function sourceProblems(
  input: FilePart<InputConfig>,
  typeName: SourceTypeName,
  connections: KnownConnections,
): readonly Problem[] {
  const source = input.at(typeName);
  const { path, value: name } = source.at("connectionRef").at("name");
  if (name === undefined) return [];
  const connection = connections.get(name);
  if (connection === undefined) return [errorAt(path, unknownConnection(name, connections))];
  // All source types read Redis so far; with a second kind of connection, the kinds are compared here.
  const polling = knownPolling(source.at("polling"));
  if (connection.polling === undefined || polling === undefined) return [];
  const polled = { type: sourceTypes[typeName], input: { polling } };
  return ageProblems(source, polled, connection.polling);
}

/** Polling settings, which decide together whether a reading can be current; undefined when one of them is refused. */
export function knownPolling(part: FilePart<PollingConfig | undefined>): PollingConfig | undefined {
  const interval = part.at("intervalSeconds");
  const timeout = part.at("timeoutSeconds");
  const maxAge = part.at("maxAgeSeconds");
  if (!interval.isKnown || !timeout.isKnown || !maxAge.isKnown) return undefined;
  return {
    ...(interval.value !== undefined && { intervalSeconds: interval.value }),
    ...(timeout.value !== undefined && { timeoutSeconds: timeout.value }),
    ...(maxAge.value !== undefined && { maxAgeSeconds: maxAge.value }),
  };
}

function unknownConnection(name: string, connections: KnownConnections): string {
  const names = [...connections.keys()];
  if (names.length === 0) return `no connection is named "${name}"; there are none`;
  const nearest = nearestKey(name, names);
  const hint = nearest === undefined ? "" : `did you mean "${nearest}"? `;
  const shown = names.slice(0, 16).join(", ");
  const rest = names.length > 16 ? ` and ${names.length - 16} more` : "";
  return `no connection is named "${name}"; ${hint}there are: ${shown}${rest}`;
}

/** A reading that is too old before the next one is there would make the signal unavailable between polls that all succeed. */
function ageProblems(
  part: FilePart<InputConfig[SourceTypeName]>,
  source: PolledSource,
  connection: PollingConfig,
): readonly Problem[] {
  const { intervalMs, timeoutMs, maxAgeMs } = pollingPlan(source, connection);
  // The next read starts an interval later, and its answer may take the whole timeout.
  const smallestMs = intervalMs + timeoutMs;
  if (maxAgeMs >= smallestMs) return [];
  const polling = part.at("polling");
  const [age, smallest, interval, timeout] = [maxAgeMs, smallestMs, intervalMs, timeoutMs].map(
    (durationMs) => durationMs / 1000,
  );
  const message = `maxAgeSeconds ${age} is below ${smallest}: a reading must last until the next one is there, intervalSeconds ${interval} plus timeoutSeconds ${timeout}`;
  return [errorAt(polling.raw === undefined ? part.path : polling.path, message)];
}
