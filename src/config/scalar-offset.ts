import type { Scalar } from "yaml";

/**
 * Offset in the file of the character at `offset` of a text value. Exact for plain and quoted text on one line without escapes and for
 * literal blocks (`|`); anything else gives the start of the value, which is right though less precise.
 */
export function offsetInScalar(text: string, scalar: Scalar, offset: number): number {
  const start = scalar.range?.[0] ?? 0;
  if (typeof scalar.value !== "string") return start;
  const { value } = scalar;
  switch (scalar.type) {
    case "PLAIN":
      return text.startsWith(value, start) ? start + offset : start;
    case "QUOTE_SINGLE":
    case "QUOTE_DOUBLE":
      return text.startsWith(value, start + 1) ? start + 1 + offset : start;
    case "BLOCK_LITERAL":
      return offsetInBlock(text, start, value.slice(0, offset));
    default:
      return start;
  }
}

/** Line k of a literal block is line k after its header, behind the indentation of the first line that is not empty (YAML 1.2.2, 8.1.2). */
function offsetInBlock(text: string, start: number, before: string): number {
  const lines = before.split("\n");
  const bodyStart = text.indexOf("\n", start) + 1;
  if (bodyStart === 0) return start;
  const indentation = /^(?:[ ]*\r?\n)*([ ]*)/.exec(text.slice(bodyStart))?.[1] ?? "";
  let lineStart = bodyStart;
  for (let skipped = 1; skipped < lines.length; skipped += 1) {
    lineStart = text.indexOf("\n", lineStart) + 1;
    if (lineStart === 0) return start;
  }
  return lineStart + indentation.length + (lines.at(-1)?.length ?? 0);
}
