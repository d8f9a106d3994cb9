import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../src/config/load.ts";
import { compileExpression } from "../src/signals/program.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const pages = [
  "README.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "CHANGELOG.md",
  ...markdownBelow("docs"),
];

function markdownBelow(folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((file) => path.join(folder, file));
}

/** Every fenced block of a page whose first line says that it is a configuration. */
function configurationsIn(page: string): string[] {
  const text = readFileSync(path.join(root, page), "utf8");
  return [...text.matchAll(/```yaml\n(# leadline\.yaml\n[\s\S]*?)```/gu)].map(([, yaml]) => yaml!);
}

const samples = pages.flatMap((page) =>
  configurationsIn(page).map((yaml, index) => ({ name: `${page} #${index + 1}`, yaml })),
);

describe("samples in the documentation", () => {
  it("exist in the README and in the configuration page", () => {
    expect(samples.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["README.md #1", "docs/configuration.md #1"]),
    );
  });

  it.each(samples)("$name is a configuration that is accepted", ({ yaml }) => {
    const result = loadConfig(yaml, {
      environment: { REDIS_PASSWORD: "a", LEADLINE_REDIS_PASSWORD: "a" },
      readFile: () => "a",
      compileExpression,
    });
    expect(result.status === "rejected" ? result.diagnostics : []).toEqual([]);
  });
});

describe("files that the documentation names", () => {
  const named = pages.flatMap((page) => {
    const text = readFileSync(path.join(root, page), "utf8");
    const files = [
      ...text.matchAll(/`((?:src|test|scripts|deploy|apiservice|dashboards)\/[^`*<\s]*)`/gu),
    ];
    return files.map(([, file]) => ({ page, file: file! }));
  });
  // The house style's example of where a test goes, and a placeholder for any kind of connection or source.
  const placeholders = ["src/a/b.ts", "test/unit/a/b.test.ts"];

  it("are many", () => {
    expect(named.length).toBeGreaterThan(15);
  });

  it.each(named.filter(({ file }) => !placeholders.includes(file)))("$page: $file", ({ file }) => {
    expect(existsSync(path.join(root, file))).toBe(true);
  });
});

describe("links in the documentation", () => {
  const links = pages.flatMap((page) => {
    const text = readFileSync(path.join(root, page), "utf8");
    return [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/gu)].map(([, target]) => ({
      page,
      target: target!,
    }));
  });

  it.each(links)("$page: $target exists", ({ page, target }) => {
    const file = path.join(root, path.dirname(page), target);
    expect(() => readdirSync(path.dirname(file)).includes(path.basename(file))).not.toThrow();
    expect(readdirSync(path.dirname(file))).toContain(path.basename(file));
  });
});
