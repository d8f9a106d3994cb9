import type { ConfigPath } from "./diagnostics.ts";

/** Keys below which a value is never shown, whatever it is. */
const secretKey = /pass|secret|token|credential|username|user|auth|sasl|^env$|^url$/i;

/**
 * A value of the file in a few words, for "found …": scalars as written, maps and lists as such. Nothing that may hold a secret is shown: no
 * value under a key that speaks of one, and no text that looks like an address with a user in it.
 */
export function describeValue(value: unknown, path: ConfigPath, source?: string): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value))
    return value.length === 0 ? "an empty list" : `a list of ${value.length}`;
  if (typeof value === "object") return "a map";
  if (path.some((segment) => typeof segment === "string" && secretKey.test(segment))) {
    return typeof value === "string" ? "text" : `a ${typeof value}`;
  }
  if (typeof value === "string") return describeText(value);
  return shorten(source ?? JSON.stringify(value));
}

/** A text in quotes, or just "text" when it may hold a secret. */
export function describeText(text: string): string {
  return /[@]|:\/\//.test(text) ? "text" : JSON.stringify(shorten(text));
}

function shorten(text: string): string {
  return text.length > 64 ? `${text.slice(0, 61)}...` : text;
}
