import { readdirSync, readFileSync } from "node:fs";
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

  it("accepts Windows line ends, with the same places", () => {
    const withReturns = (name: string): string => fixtureText(name).replaceAll("\n", "\r\n");
    expect(load(withReturns("minimal.good.yaml")).status).toBe("loaded");
    const plain = load(fixtureText("wrong-unit.bad.yaml"));
    expect(load(withReturns("wrong-unit.bad.yaml"))).toEqual(plain);
  });

  it("warns of what is accepted and yet probably not meant", async () => {
    const text = good
      .map((name) => ({ name, result: load(fixtureText(name)) }))
      .map(({ name, result }) => (result.status === "loaded" ? render(name, result.warnings) : ""))
      .join("");
    await expect(text).toMatchFileSnapshot(fileURLToPath(new URL("warnings.txt", fixtures)));
  });

  it("accepts the file that the documentation shows", () => {
    const page = readFileSync(new URL("../../../docs/configuration.md", import.meta.url), "utf8");
    const sample = /```yaml\n(# leadline.yaml\n[^`]*)```/.exec(page)?.[1] ?? "";
    const result = load(sample);
    const findings = result.status === "loaded" ? result.warnings : result.diagnostics;
    expect(render("docs/configuration.md", findings)).toBe("");
    expect(sample).not.toBe("");
  });

  it("refuses a file of more than 4 MiB without reading it", () => {
    const text = `# ${"x".repeat(10 * 1024 * 1024)}\n`;
    expect(load(text)).toMatchObject({
      status: "rejected",
      diagnostics: [
        {
          line: 1,
          column: 1,
          message: "the file has 10485763 characters; at most 4194304 are read",
        },
      ],
    });
  });
});
