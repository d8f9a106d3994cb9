import { isMap, isScalar, isSeq, parseAllDocuments } from "yaml";
import type { Document, ErrorCode } from "yaml";
import type { ConfigPath, Diagnostic, Problem } from "./diagnostics.ts";
import { errorAt, formatPath } from "./diagnostics.ts";
import { LineIndex } from "./line-index.ts";
import { offsetInScalar } from "./scalar-offset.ts";
import { keyText, startOf, walkDocument } from "./yaml-walk.ts";

/** Largest file, in UTF-16 units; four times what a ConfigMap can hold. */
const maxLength = 4 * 1024 * 1024;

/** A file read as YAML, with the way back from a path to its place in the text. */
export interface YamlDocument {
  /** Plain maps, lists and scalars; a doubled key has its last value. */
  readonly value: unknown;
  /** Findings about the YAML itself. */
  readonly problems: readonly Problem[];
  /** Findings that count only where nothing else is wrong at the same place. */
  readonly oddNumbers: readonly Problem[];
  /** Places a finding in the text. */
  readonly locate: (problem: Problem) => Diagnostic;
  /** A number as it is written in the file; undefined for anything else. */
  readonly sourceAt: (path: ConfigPath) => string | undefined;
}

/** A document to hold against a schema, or why the text is none. */
export type YamlResult =
  | { readonly status: "parsed"; readonly document: YamlDocument }
  | { readonly status: "rejected"; readonly diagnostics: readonly Diagnostic[] };

/** What is said about broken YAML, by the parser's code. The parser's own messages quote the text, which may hold a secret. */
const syntaxMessages: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS: "an alias cannot have an anchor or a tag",
  BAD_ALIAS: "malformed anchor or alias",
  BAD_COLLECTION_TYPE: "the tag does not fit the value",
  BAD_DIRECTIVE: "malformed directive",
  BAD_DQ_ESCAPE: "unknown escape in a text in double quotes",
  BAD_INDENT: "wrong indentation, or a bracket that is not closed",
  BAD_PROP_ORDER: "an anchor or tag in the wrong place",
  BAD_SCALAR_START: "no text can start with this character: put it in quotes",
  BLOCK_AS_IMPLICIT_KEY: "a second ': ' in one line: put the text in quotes",
  BLOCK_IN_FLOW: "an indented map or list inside brackets",
  DUPLICATE_KEY: "duplicate key",
  IMPOSSIBLE: "malformed YAML",
  KEY_OVER_1024_CHARS: "a key of more than 1024 characters",
  MISSING_CHAR: "a quote, bracket, comma or colon is missing",
  MULTILINE_IMPLICIT_KEY: "a key over several lines, or a colon is missing",
  MULTIPLE_ANCHORS: "two anchors on one value",
  MULTIPLE_DOCS: "expected one document",
  MULTIPLE_TAGS: "two tags on one value",
  NON_STRING_KEY: "expected a text as the key",
  RESOURCE_EXHAUSTION: "nested too deeply",
  TAB_AS_INDENT: "a tab as indentation: use spaces",
  TAG_RESOLVE_FAILED: "unknown tag: write plain values",
  UNEXPECTED_TOKEN: "text that does not belong here",
};

/** Reads YAML 1.2 (core schema, one document, no merge keys). Never throws. */
export function parseYaml(text: string): YamlResult {
  const fault = textFault(text);
  if (fault !== undefined) return { status: "rejected", diagnostics: [fault] };
  // A byte order mark is no part of the document (YAML 1.2.2, 5.2), nor of its first column.
  const body = text.replace(/^\uFEFF/, "");
  const lines = new LineIndex(body);
  const place = (offset: number, path: ConfigPath, message: string): Diagnostic => ({
    severity: "error",
    path: formatPath(path),
    ...lines.placeOf(offset),
    message,
  });
  const documents = parseDocuments(body);
  const [document] = documents;
  const diagnostics = syntaxDiagnostics(documents, place);
  if (document === undefined || diagnostics.length > 0) return { status: "rejected", diagnostics };
  return readDocument(body, document, place);
}

function syntaxDiagnostics(
  documents: readonly Document.Parsed[],
  place: Place,
): readonly Diagnostic[] {
  const [first, second] = documents;
  const diagnostics = documents
    .flatMap(({ errors, warnings }) => [...errors, ...warnings])
    // After one error the parser finds what follows out of place as well.
    .filter(({ code }, index) => index === 0 || code !== "UNEXPECTED_TOKEN")
    .map(({ pos, code }) => {
      // How deep the parser comes depends on the stack that is left, so its position says nothing.
      const offset = code === "RESOURCE_EXHAUSTION" ? 0 : pos[0];
      return place(offset, [], syntaxMessages[code]);
    });
  if (second !== undefined) {
    const message = "expected one document; another one starts here";
    diagnostics.push(place(second.range[0], [], message));
  }
  if (diagnostics.length === 0 && (first === undefined || isEmpty(first))) {
    const message = "the file is empty; expected a map, e.g. with connections and signals";
    return [place(0, [], message)];
  }
  return firstPerLine(diagnostics);
}

type Place = (offset: number, path: ConfigPath, message: string) => Diagnostic;

function readDocument(text: string, document: Document.Parsed, place: Place): YamlResult {
  const locate = (problem: Problem): Diagnostic => {
    const { path, message, severity, found, allowed } = problem;
    return {
      ...place(offsetOf(text, document, problem), path, message),
      severity,
      ...(found !== undefined && { found }),
      ...(allowed !== undefined && { allowed }),
    };
  };
  const { problems, oddNumbers, isResolvable } = walkDocument(document);
  if (!isResolvable) return { status: "rejected", diagnostics: problems.map(locate) };
  const value = valueOf(document);
  if (value instanceof Error) {
    return { status: "rejected", diagnostics: [locate(errorAt([], "the aliases grow too large"))] };
  }
  const sourceAt = (path: ConfigPath): string | undefined => {
    const { node } = findNode(document, path);
    return isScalar(node) && typeof node.value === "number" ? node.source : undefined;
  };
  return { status: "parsed", document: { value, problems, oddNumbers, locate, sourceAt } };
}

function valueOf(document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (reason) {
    return reason instanceof Error ? reason : new Error("aliases");
  }
}

function textFault(text: string): Diagnostic | undefined {
  const fault = { severity: "error", path: "document", line: 1, column: 1 } as const;
  if (text.length > maxLength) {
    const message = `the file has ${text.length} characters; at most ${maxLength} are read`;
    return { ...fault, message };
  }
  const invalidAt = text.indexOf("\uFFFD");
  if (invalidAt === -1) return undefined;
  const place = new LineIndex(text).placeOf(invalidAt);
  return { ...fault, ...place, message: "the file is not UTF-8 text" };
}

function parseDocuments(text: string): readonly Document.Parsed[] {
  // Duplicate keys are found by our own walk, which knows their path and does not compare each key with each other one.
  const documents = parseAllDocuments(text, {
    prettyErrors: false,
    uniqueKeys: false,
    schema: "core",
    version: "1.2",
    resolveKnownTags: false,
    logLevel: "silent",
  });
  // An empty stream has no documents but may have errors of its own.
  return Array.isArray(documents) ? documents : [];
}

function isEmpty(document: Document.Parsed): boolean {
  const contents: unknown = document.contents;
  return contents === null || (isScalar(contents) && contents.value === null);
}

function firstPerLine(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const lines = new Set<number>();
  return diagnostics.filter(({ line }) => !lines.has(line) && lines.add(line));
}

interface FoundNode {
  readonly node: unknown;
  readonly key: unknown;
  /** Whether the whole path exists; otherwise node and key are the deepest that do. */
  readonly isWhole: boolean;
}

function findNode(document: Document.Parsed, path: ConfigPath): FoundNode {
  let found: FoundNode = { node: document.contents, key: undefined, isWhole: true };
  for (const segment of path) {
    const next = stepInto(found.node, segment);
    if (next === undefined) return { ...found, isWhole: false };
    found = next;
  }
  return found;
}

function stepInto(node: unknown, segment: string | number): FoundNode | undefined {
  if (isSeq(node) && typeof segment === "number") {
    const item: unknown = node.items[segment];
    return item === undefined ? undefined : { node: item, key: item, isWhole: true };
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.findLast(({ key }) => keyText(key) === String(segment));
  return pair && { node: pair.value, key: pair.key, isWhole: true };
}

function offsetOf(text: string, document: Document.Parsed, problem: Problem): number {
  if (problem.fileOffset !== undefined) return problem.fileOffset;
  const { node, key, isWhole } = findNode(document, problem.path);
  if (!isWhole || problem.target === "key") return startOf(key) ?? startOf(node) ?? 0;
  if (problem.offset !== undefined && isScalar(node)) {
    return offsetInScalar(text, node, problem.offset);
  }
  return startOf(node) ?? startOf(key) ?? 0;
}
