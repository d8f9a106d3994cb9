import type { ConfigPath } from "./diagnostics.ts";
import { quoteText, shortenText } from "./quote-text.ts";

/** Keys below which no text is shown, whatever it says: those that speak of a secret, and the kinds of connection. */
const secretKey = /^redis$|pass|secret|token|credential|username|user|auth|sasl|^env$|^url$/i;

/**
 * A value of the file in a few words, for "found …": scalars as written, maps and lists as such. Nothing that may hold a secret is shown: no
 * value under a key that speaks of one, and no text that looks like an address with a user in it.
 */
export function describeValue(value: unknown, path: ConfigPath, source?: string): string {
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") {
    return describeKind(value);
  }
  if (path.some((segment) => typeof segment === "string" && secretKey.test(segment))) {
    return describeKind(value);
  }
  if (typeof value === "string") return quoteText(value);
  return shortenText(source ?? JSON.stringify(value));
}

/** What kind of value it is, and nothing of what it says. */
export function describeKind(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) {
    return value.length === 0 ? "an empty list" : `a list of ${value.length}`;
  }
  if (typeof value === "object") return "a map";
  return typeof value === "string" ? "text" : `a ${typeof value}`;
}
