import { quoteText } from "./quote-text.ts";

/** One finding in a configuration file. An error refuses the file; a warning does not. */
export interface Diagnostic {
  readonly severity: "error" | "warning";
  /** Where in the configuration: `signals[0].spec.inputs[1].name`; `document` for the file as a whole. */
  readonly path: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units, as editors count. */
  readonly column: number;
  /** Complete, for people; says also what is in `found` and `allowed`. Holds no secret. */
  readonly message: string;
  /** What was found, where that can be shown. */
  readonly found?: string;
  /** What is allowed, where that can be said in a few words. */
  readonly allowed?: string;
}

/** Steps from the top of the document: keys and indexes. */
export type ConfigPath = readonly (string | number)[];

/**
 * A finding that is not yet placed in the text: everything of a {@link Diagnostic}, with a path in the place of line and column.
 */
export interface Problem {
  readonly severity: "error" | "warning";
  readonly path: ConfigPath;
  /** What to point at: the value (default) or its key. What is not there is shown at its parent's key. */
  readonly target?: "value" | "key";
  /** How far into the value, in characters of the value; for expressions. */
  readonly offset?: number;
  /** Offset in the file to point at, where the path alone does not lead there: the second of two equal keys. */
  readonly fileOffset?: number;
  readonly message: string;
  readonly found?: string;
  readonly allowed?: string;
}

/** An error at a path. */
export function errorAt(path: ConfigPath, message: string): Problem {
  return { severity: "error", path, message };
}

/** A path as people write it: `connections[0].redis.url`, `metric.labels["a.b/c"]`, `document` when empty. */
export function formatPath(path: ConfigPath): string {
  const text = path.map(formatSegment).join("");
  return text === "" ? "document" : text.replace(/^\./, "");
}

function formatSegment(segment: string | number): string {
  if (typeof segment === "number") return `[${segment}]`;
  return /^[A-Za-z_][A-Za-z0-9_-]*$/.test(segment) ? `.${segment}` : `[${quoteText(segment)}]`;
}

/** One line of text: `FILE:LINE:COLUMN path: message`; a warning says so before its message. */
export function renderDiagnostic(fileName: string, diagnostic: Diagnostic): string {
  const { severity, path, line, column, message } = diagnostic;
  const mark = severity === "warning" ? "warning: " : "";
  return `${fileName}:${line}:${column} ${path}: ${mark}${message}`;
}

/** Orders findings as they stand in the file; those at one place keep their order. Equal ones are kept once. */
export function inFileOrder(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const distinct = new Map(diagnostics.map((each) => [JSON.stringify(each), each]));
  return [...distinct.values()].sort((a, b) => a.line - b.line || a.column - b.column);
}
