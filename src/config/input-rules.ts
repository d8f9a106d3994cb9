import type { PollingConfig } from "../schema/polling.ts";
import type { ConfigPath, Problem } from "./diagnostics.ts";
import { errorAt } from "./diagnostics.ts";
import type { ParsedSection } from "./file-section.ts";
import type { InputSource } from "./input-plan.ts";
import { pollingPlan, sourceOf } from "./input-plan.ts";
import { nearestKey } from "./nearest-key.ts";
import type { InputConfig, SignalConfig } from "./schema.ts";

/** A connection that inputs can refer to. `polling` is absent when the connection itself was refused, which was said already. */
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
  section: ParsedSection<SignalConfig>,
  connections: KnownConnections,
): readonly Problem[] {
  const seen = new Set<string>();
  return section.config.spec.inputs.flatMap((input, index) => {
    const path = [...section.path, "spec", "inputs", index];
    const finding = nameFinding(input.name, seen);
    seen.add(input.name);
    return [
      ...(finding === undefined ? [] : [errorAt([...path, "name"], finding)]),
      ...sourceProblems(path, input, connections),
    ];
  });
}

function nameFinding(name: string, seen: ReadonlySet<string>): string | undefined {
  if (seen.has(name)) return `another input of this signal is named "${name}"`;
  if (celWords.has(name)) return `"${name}" is a word of CEL; an input needs another name`;
  if (name === "workload") {
    return '"workload" is reserved for workload.replicas and its like; an input needs another name';
  }
  return undefined;
}

function sourceProblems(
  path: ConfigPath,
  input: InputConfig,
  connections: KnownConnections,
): readonly Problem[] {
  const source = sourceOf(input);
  if (source === undefined) return [];
  const sourcePath = [...path, source.typeName];
  const { name } = source.input.connectionRef;
  const connection = connections.get(name);
  if (connection === undefined) {
    return [
      errorAt([...sourcePath, "connectionRef", "name"], unknownConnection(name, connections)),
    ];
  }
  // All source types read Redis so far; with a second kind of connection, the kinds are compared here.
  const { polling } = connection;
  return polling === undefined ? [] : ageProblems(sourcePath, source, polling);
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

/** A reading that is too old before the next one can come would make the signal unavailable at every poll. */
function ageProblems(
  path: ConfigPath,
  source: InputSource,
  connection: PollingConfig,
): readonly Problem[] {
  const { intervalMs, maxAgeMs } = pollingPlan(source, connection);
  if (maxAgeMs >= intervalMs) return [];
  const isOwn = source.input.polling !== undefined;
  const message = `maxAgeSeconds ${maxAgeMs / 1000} is below intervalSeconds ${intervalMs / 1000}: every reading would be too old before the next one`;
  return [errorAt(isOwn ? [...path, "polling"] : path, message)];
}
