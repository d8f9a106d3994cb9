import type { ConfigPath } from "./diagnostics.ts";

/** One element of a list in the file: its place, its raw value, and what the schema made of it, or of the part of it that makes sense. */
export interface Section<T> {
  readonly path: ConfigPath;
  readonly raw: unknown;
  readonly config: T | undefined;
}

/** A section that makes sense, at least in parts. */
export interface ParsedSection<T> extends Section<T> {
  readonly config: T;
}

/** The sections that make sense, at least in parts; when there are no errors, all of them, whole. */
export function parsedSections<T>(sections: readonly Section<T>[]): readonly ParsedSection<T>[] {
  return sections.filter((section): section is ParsedSection<T> => section.config !== undefined);
}
