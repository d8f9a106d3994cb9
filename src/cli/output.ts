/** Forms of output: lines for people, JSON for programs. */
export const outputFormats = ["text", "json"] as const;

/** One of {@link outputFormats}. */
export type OutputFormat = (typeof outputFormats)[number];

/** Writes text somewhere; the text ends with its own newline. */
export type Write = (text: string) => void;

/** Prints lines, each with a newline. */
export function printLines(write: Write, lines: readonly string[]): void {
  if (lines.length > 0) write(`${lines.join("\n")}\n`);
}

/** Prints one JSON document, indented, with a newline. */
export function printJson(write: Write, value: unknown): void {
  write(`${JSON.stringify(value, undefined, 2)}\n`);
}
