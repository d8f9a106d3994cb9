import * as z from "zod";
import { isRecord } from "../schema/exactly-one-key.ts";
import { connectionProblems, writtenName } from "./connection-rules.ts";
import type { ConfigPath, Diagnostic, Problem } from "./diagnostics.ts";
import { inFileOrder } from "./diagnostics.ts";
import type { Section } from "./file-section.ts";
import { parsedSections } from "./file-section.ts";
import type { KnownConnection, KnownConnections } from "./input-rules.ts";
import type { Configuration } from "./plan.ts";
import { planConfiguration } from "./plan.ts";
import { configSchema, connectionSchema, signalSchema } from "./schema.ts";
import type { ConnectionConfig } from "./schema.ts";
import { salvage } from "./salvage.ts";
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
  const problems = [...document.problems];
  // A key that YAML alone makes wrong is not called unknown as well.
  const isNews = notAt(document.problems);
  const parse = <S extends z.ZodType>(schema: S, raw: unknown, path: ConfigPath) => {
    const result = parseWithSchema(schema, { value: raw, path, sourceAt });
    if (result.status === "parsed") return result.value;
    problems.push(...result.problems.filter((each) => each.target !== "key" || isNews(each)));
    return undefined;
  };
  const top = parse(topSchema, value, []);
  const sections = <S extends z.ZodType>(schema: S, key: string): Section<z.output<S>>[] =>
    listIn(value, key).map((raw, index) => {
      const path = [key, index];
      return { path, raw, config: parse(schema, raw, path) ?? salvage(schema, raw) };
    });
  const connections = sections(connectionSchema, "connections");
  const signals = parsedSections(sections(signalSchema, "signals"));
  problems.push(...connectionProblems(connections, dependencies));
  const known = knownConnections(connections);
  problems.push(...signalProblems(signals, known, dependencies.compileExpression));
  if (top === undefined) return { problems };
  const accepted = {
    server: top.server,
    ops: top.ops,
    connections: parsedSections(connections).map(({ config }) => config),
    signals: signals.map(({ config }) => config),
  };
  return { problems, accept: () => planConfiguration(accepted, dependencies) };
}

function listIn(value: unknown, key: string): readonly unknown[] {
  const list = isRecord(value) ? value[key] : undefined;
  return Array.isArray(list) ? list : [];
}

function knownConnections(sections: readonly Section<ConnectionConfig>[]): KnownConnections {
  const known = new Map<string, KnownConnection>();
  for (const section of sections) {
    const name = writtenName(section);
    if (name === undefined) continue;
    const { config } = section;
    known.set(name, config === undefined ? {} : { polling: config.polling });
  }
  return known;
}
