import * as z from "zod";
import { connectionProblems, writtenName } from "./connection-rules.ts";
import type { Diagnostic, Problem } from "./diagnostics.ts";
import { inFileOrder } from "./diagnostics.ts";
import { FilePart } from "./file-part.ts";
import type { KnownConnection, KnownConnections } from "./input-rules.ts";
import { knownPolling } from "./input-rules.ts";
import { settingsNotUsedYet } from "./not-used-yet.ts";
import type { Configuration } from "./plan.ts";
import { planConfiguration } from "./plan.ts";
import { configSchema, connectionSchema, signalSchema } from "./schema.ts";
import type { Config, ConnectionConfig } from "./schema.ts";
import { parseWithSchema } from "./schema-problems.ts";
import type { SecretSources } from "./secrets.ts";
import type { CompileExpression } from "./signal-rules.ts";
import { signalProblems } from "./signal-rules.ts";
import type { YamlDocument } from "./yaml-document.ts";
import { parseYaml } from "./yaml-document.ts";

/** What loading needs from outside. */
export interface LoadDependencies extends SecretSources {
  /** Type-checks expressions: `compileExpression` of `signals/program.ts`. */
  readonly compileExpression: CompileExpression;
}

/** A file as a whole is accepted or refused. */
export type LoadResult =
  | {
      readonly status: "loaded";
      readonly config: Configuration;
      readonly warnings: readonly Diagnostic[];
    }
  /** At least one error; warnings may be among them. In file order. */
  | { readonly status: "rejected"; readonly diagnostics: readonly Diagnostic[] };

/** The top of the file alone; the elements of its lists are judged one by one, so that a fault in one hides nothing in another. */
const topSchema = configSchema.extend({
  connections: listOf("connections"),
  signals: listOf("signals"),
});

function listOf(what: string): z.ZodPrefault<z.ZodArray<z.ZodUnknown>> {
  return z.array(z.unknown(), { error: `a list of ${what}` }).prefault([]);
}

/**
 * Reads the text of `leadline.yaml`. Gives a configuration that is complete and checked, or every finding at once. Reads the secrets that it
 * refers to, to see that they are there. Never throws, whatever the text.
 */
export function loadConfig(text: string, dependencies: LoadDependencies): LoadResult {
  const yaml = parseYaml(text);
  if (yaml.status === "rejected") {
    return { status: "rejected", diagnostics: inFileOrder(yaml.diagnostics) };
  }
  const { document } = yaml;
  const { problems, accept } = judge(document, dependencies);
  const oddNumbers = document.oddNumbers.filter(notAt(problems));
  const diagnostics = inFileOrder([...problems, ...oddNumbers].map(document.locate));
  if (accept === undefined || diagnostics.some(({ severity }) => severity === "error")) {
    return { status: "rejected", diagnostics };
  }
  return { status: "loaded", config: accept(), warnings: diagnostics };
}

/** Whether none of `problems` is about the same place. */
function notAt(problems: readonly Problem[]): (problem: Problem) => boolean {
  const places = new Set(problems.map(({ path }) => JSON.stringify(path)));
  return ({ path }) => !places.has(JSON.stringify(path));
}

interface Judgement {
  readonly problems: readonly Problem[];
  /** Derives the configuration; absent when parts of the file have no meaning. */
  readonly accept?: () => Configuration;
}

function judge(document: YamlDocument, dependencies: LoadDependencies): Judgement {
  const { value, sourceAt } = document;
  const problems: Problem[] = [];
  const parse = <S extends z.ZodType>(
    schema: S,
    { raw, path }: Pick<FilePart<unknown>, "raw" | "path">,
  ) => {
    const result = parseWithSchema(schema, { value: raw, path, sourceAt });
    if (result.status === "parsed") return [result.value];
    problems.push(...result.problems);
    return [];
  };
  const [top] = parse(topSchema, { raw: value, path: [] });
  const file = new FilePart<Config>({ schema: configSchema, raw: value, path: [] });
  const connections = file.at("connections").elements();
  const signals = file.at("signals").elements();
  const parsed = {
    connections: connections.flatMap((each) => parse(connectionSchema, each)),
    signals: signals.flatMap((each) => parse(signalSchema, each)),
  };
  problems.push(
    ...settingsNotUsedYet(file),
    ...connectionProblems(connections, dependencies),
    ...signalProblems(signals, knownConnections(connections), dependencies.compileExpression),
  );
  // What is said of a key that YAML alone makes wrong is enough.
  const isNews = notAt(document.problems);
  const news = problems.filter((each) => each.target !== "key" || isNews(each));
  const all = [...document.problems, ...news];
  if (top === undefined) return { problems: all };
  const accepted = { server: top.server, ops: top.ops, ...parsed };
  return { problems: all, accept: () => planConfiguration(accepted, dependencies) };
}

function knownConnections(connections: readonly FilePart<ConnectionConfig>[]): KnownConnections {
  const known = new Map<string, KnownConnection>();
  for (const connection of connections) {
    const name = writtenName(connection);
    if (name === undefined) continue;
    const polling = knownPolling(connection.at("polling"));
    known.set(name, polling === undefined ? {} : { polling });
  }
  return known;
}
