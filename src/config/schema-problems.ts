import type * as z from "zod";
import type { ConfigPath, Problem } from "./diagnostics.ts";
import { errorAt } from "./diagnostics.ts";
import { describeKind, describeValue } from "./describe-value.ts";
import { quoteText } from "./quote-text.ts";
import { nearestKey } from "./nearest-key.ts";
import { keysOf, schemaAt } from "./schema-keys.ts";

/** A schema's verdict about a part of the file. */
export type SchemaResult<T> =
  | { readonly status: "parsed"; readonly value: T }
  | { readonly status: "rejected"; readonly problems: readonly Problem[] };

/** A part of the file to hold against a schema. */
export interface SchemaSubject {
  readonly value: unknown;
  /** Where the part stands in the document. */
  readonly path: ConfigPath;
  /** A number as it is written in the file, for messages; undefined for anything else. */
  readonly sourceAt: (path: ConfigPath) => string | undefined;
}

interface IssueContext {
  readonly issue: z.core.$ZodIssue;
  readonly schema: z.core.$ZodType;
  readonly subject: SchemaSubject;
  /** The issue's path below the subject. */
  readonly relativePath: ConfigPath;
  readonly path: ConfigPath;
}

/** Holds a part of the file against a schema; every finding becomes a Problem, all at once. */
export function parseWithSchema<S extends z.ZodType>(
  schema: S,
  subject: SchemaSubject,
): SchemaResult<z.output<S>> {
  const result = schema.safeParse(subject.value, { reportInput: true });
  if (result.success) return { status: "parsed", value: result.data };
  const problems = result.error.issues.flatMap((issue) => {
    const relativePath = issue.path.filter((segment) => typeof segment !== "symbol");
    const path = [...subject.path, ...relativePath];
    return problemsOfIssue({ issue, schema, subject, relativePath, path });
  });
  return { status: "rejected", problems };
}

function problemsOfIssue(context: IssueContext): readonly Problem[] {
  const { issue } = context;
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => unknownKey(context, key));
    case "custom":
      return [customProblem(context, issue)];
    case "invalid_union":
      return unionProblems(context, issue);
    case "invalid_type":
      return [wrongType(context, issue)];
    default:
      return [wrongValue(context, issue.message)];
  }
}

/** A finding of a check of ours: a sentence, or with `isAllowedText` what is allowed, as in every other issue. */
function customProblem(context: IssueContext, issue: z.core.$ZodIssueCustom): Problem {
  const isAllowedText = issue.params?.["isAllowedText"] === true;
  return isAllowedText ? wrongValue(context, issue.message) : errorAt(context.path, issue.message);
}

/**
 * Maps have no message of their own in the schemas: what is allowed is their keys. A scalar in the place of a map may be anything, so it
 * is not shown.
 */
function wrongType(context: IssueContext, issue: z.core.$ZodIssueInvalidType): Problem {
  if (issue.expected !== "object" && issue.expected !== "array") {
    return wrongValue(context, issue.message);
  }
  return wrongValue(context, allowedStructure(context, issue), describeKind(issue.input));
}

function allowedStructure(context: IssueContext, issue: z.core.$ZodIssueInvalidType): string {
  if (!issue.message.startsWith("Invalid input")) return issue.message;
  const keys = keysOf(schemaAt(context.schema, context.relativePath));
  return keys.length === 0 ? "a map" : `a map with ${keys.join(", ")}`;
}

/** A union of text and map: a map is judged as a map, so that its own findings show. */
function unionProblems(
  context: IssueContext,
  issue: z.core.$ZodIssueInvalidUnion,
): readonly Problem[] {
  const inner = issue.errors.find((issues) =>
    issues.every((each) => each.path.length > 0 || each.code !== "invalid_type"),
  );
  const isMap = typeof issue.input === "object" && issue.input !== null;
  if (!isMap || inner === undefined) return [wrongValue(context, issue.message)];
  return inner.flatMap((each) => {
    const below = each.path.filter((segment) => typeof segment !== "symbol");
    const relativePath = [...context.relativePath, ...below];
    const path = [...context.path, ...below];
    return problemsOfIssue({ ...context, issue: each, relativePath, path });
  });
}

function wrongValue(
  { issue, subject, path }: IssueContext,
  allowed: string,
  shown?: string,
): Problem {
  const key = path.at(-1);
  if (issue.input === undefined && typeof key === "string") {
    const message = `${key} is missing; expected ${allowed}`;
    return { severity: "error", path, message, found: "nothing", allowed };
  }
  const found = shown ?? describeValue(issue.input, path, subject.sourceAt(path));
  const message = `expected ${allowed}; found ${found}`;
  return { severity: "error", path, message, found, allowed };
}

/** Keys of a Kubernetes object that a signal in the file goes without. */
const objectKeys = ["apiVersion", "kind"];

function unknownKey(context: IssueContext, key: string): Problem {
  const { schema, relativePath, path } = context;
  const parent = schemaAt(schema, relativePath);
  const known = keysOf(parent);
  const found = quoteText(key);
  const allowed = known.join(", ");
  const problem = {
    severity: "error",
    path: [...path, key],
    target: "key",
    found,
    allowed,
  } as const;
  const say = (hint: string): Problem => ({ ...problem, message: `unknown key ${found}; ${hint}` });
  if (objectKeys.includes(key)) {
    const isSignal = known.includes("spec");
    if (isSignal) return say("a signal in the file has metadata and spec alone");
    if (path.length === 0)
      return say("this file is no Kubernetes object; signals stand under signals");
  }
  if (key === "<<") return say("YAML 1.2 has no merge keys: write the keys out");
  const nearest = nearestKey(key, known) ?? keyElsewhere(key, parent);
  const hint = nearest === undefined ? "" : `did you mean "${nearest}"? `;
  return say(`${hint}allowed: ${allowed}`);
}

/** The key where it belongs, one level further down: `allowMissing` is `bullmq.allowMissing`. */
function keyElsewhere(key: string, parent: z.core.$ZodType | undefined): string | undefined {
  if (parent === undefined) return undefined;
  const owner = keysOf(parent).find((each) => keysOf(schemaAt(parent, [each])).includes(key));
  return owner === undefined ? undefined : `${owner}.${key}`;
}
