import { readFileSync } from "node:fs";
import type { LoadDependencies, LoadResult } from "../../../src/config/load.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { compileExpression } from "../../../src/signals/program.ts";

/** A secret that no output may ever hold. */
export const canary = "hunter2-canary";

const files: Readonly<Record<string, string | { readonly code: string }>> = {
  "/secrets/password": `${canary}\n`,
  "/secrets/empty": "\n",
  "/secrets/unreadable": { code: "EACCES" },
  "/secrets": { code: "EISDIR" },
  "/tls/ca.crt": "authority",
  "/tls/tls.crt": "certificate",
  "/tls/tls.key": canary,
};

/** A small machine: a few files, a few variables, the real expressions. */
export const dependencies: LoadDependencies = {
  compileExpression,
  environment: { REDIS_PASSWORD: canary, REDIS_USERNAME: "leadline", EMPTY_PASSWORD: "" },
  readFile: (path) => {
    const content = files[path] ?? { code: "ENOENT" };
    if (typeof content === "string") return content;
    throw Object.assign(new Error(`${content.code}: ${path}`), content);
  },
};

/** Where the fixtures lie. */
export const fixtures = new URL("../../fixtures/config/", import.meta.url);

/** The text of a fixture. */
export function fixtureText(name: string): string {
  return readFileSync(new URL(name, fixtures), "utf8");
}

/** Loads a text on that machine. */
export function load(text: string): LoadResult {
  return loadConfig(text, dependencies);
}
