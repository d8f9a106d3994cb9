import { describe, expect, it } from "vitest";
import { nearestKey } from "../../../src/config/nearest-key.ts";

describe("nearestKey", () => {
  const known = ["intervalSeconds", "timeoutSeconds", "maxAgeSeconds", "minimum", "url"];
  it.each([
    ["intervalMs", "intervalSeconds"],
    ["interval", "intervalSeconds"],
    ["interval_seconds", "intervalSeconds"],
    ["timeout", "timeoutSeconds"],
    ["timeoutMilliseconds", "timeoutSeconds"],
    ["IntervalSeconds", "intervalSeconds"],
    ["intervallSeconds", "intervalSeconds"],
    ["min", "minimum"],
    ["ulr", "url"],
    ["uri", "url"],
    ["x", undefined],
    ["", undefined],
    ["database", undefined],
    ["__proto__", undefined],
  ])("finds for %j the key %j", (key, expected) => {
    expect(nearestKey(key, known)).toBe(expected);
  });
});
