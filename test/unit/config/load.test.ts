import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { Diagnostic } from "../../../src/config/diagnostics.ts";
import { renderDiagnostic } from "../../../src/config/diagnostics.ts";
import { canary, fixtures, fixtureText, load } from "./load-fixture.ts";

const names = readdirSync(fixtures).filter((name) => name.endsWith(".yaml"));
const bad = names.filter((name) => name.endsWith(".bad.yaml"));
const good = names.filter((name) => name.endsWith(".good.yaml"));

function render(name: string, diagnostics: readonly Diagnostic[]): string {
  return diagnostics.map((each) => `${renderDiagnostic(name, each)}\n`).join("");
}

describe("loadConfig", () => {
  it.each(bad)("refuses %s with every finding in its place", async (name) => {
    const result = load(fixtureText(name));
    if (result.status !== "rejected") expect.fail("was accepted");
    const expected = fileURLToPath(new URL(name.replace(/yaml$/, "txt"), fixtures));
    await expect(render(name, result.diagnostics)).toMatchFileSnapshot(expected);
    expect(JSON.stringify(result)).not.toContain(canary);
  });

  it.each(good)("accepts %s", (name) => {
    const result = load(fixtureText(name));
    const errors = result.status === "rejected" ? render(name, result.diagnostics) : "";
    expect(errors).toBe("");
    expect(JSON.stringify(result)).not.toContain(canary);
  });
});
