import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { Secret } from "../../../src/runtime/secret.ts";

const canary = "hunter2-canary";

describe("Secret", () => {
  it("shows its value to read() alone", () => {
    const secret = new Secret("file /x", () => canary);
    const shown = [String(secret), JSON.stringify({ secret }), inspect({ secret }, { depth: 9 })];
    expect(shown).toEqual(["[redacted]", '{"secret":"[redacted]"}', "{ secret: [redacted] }"]);
    expect(Object.values(secret)).toEqual(["file /x"]);
    expect(secret.read()).toBe(canary);
  });
});
