import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runCli } from "../../../src/cli/cli.ts";

async function run(...args: readonly string[]) {
  const written = { stdout: "", stderr: "" };
  const exitCode = await runCli(args, {
    environment: {},
    stdout: (text) => (written.stdout += text),
    stderr: (text) => (written.stderr += text),
    stop: { signal: new AbortController().signal, arm: () => undefined },
  });
  return { exitCode, ...written };
}

const packageFile = new URL("../../../package.json", import.meta.url);
const { version } = JSON.parse(readFileSync(packageFile, "utf8")) as { readonly version: string };

describe("runCli", () => {
  it("prints the version of the package and succeeds", async () => {
    expect(await run("--version")).toEqual({ exitCode: 0, stdout: `${version}\n`, stderr: "" });
  });

  it("ends with 2 on an option that does not exist", async () => {
    const stderr = "error: unknown option '--verzion'\n(Did you mean --version?)\n";
    expect(await run("--verzion")).toEqual({ exitCode: 2, stdout: "", stderr });
  });
});
