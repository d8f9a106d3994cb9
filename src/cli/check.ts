import { readFileSync } from "node:fs";
import { Option } from "commander";
import type { Command } from "commander";
import type { Diagnostic } from "../config/diagnostics.ts";
import { renderDiagnostic } from "../config/diagnostics.ts";
import type { LoadResult } from "../config/load.ts";
import { loadConfig } from "../config/load.ts";
import { readNamedFile } from "../config/secrets.ts";
import type { ReadFile } from "../config/secrets.ts";
import { errorFromUnknown } from "../runtime/errors.ts";
import { compileExpression } from "../signals/program.ts";
import type { CliContext } from "./context.ts";
import { exitCodes } from "./context.ts";
import type { OutputFormat, Write } from "./output.ts";
import { outputFormats, printJson, printLines } from "./output.ts";

/** What `leadline check` works on. */
export interface CheckOptions {
  readonly file: string;
  readonly output: OutputFormat;
  readonly readFile: ReadFile;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdout: Write;
  readonly stderr: Write;
}

/**
 * Validates a configuration file offline and returns the exit code: 0 when it would be accepted, 1 when not. Text: every error as
 * `FILE:LINE:COLUMN path: message` on standard output, warnings on standard error, and one line that says what was checked. JSON: one document
 * `{ file, errors, warnings }` on standard output.
 */
export function runCheck(options: CheckOptions): number {
  const { file, output, stdout, stderr } = options;
  const result = check(options);
  const findings = result.status === "loaded" ? result.warnings : result.diagnostics;
  const errors = findings.filter(({ severity }) => severity === "error");
  const warnings = findings.filter(({ severity }) => severity === "warning");
  if (output === "json") {
    printJson(stdout, { file, errors, warnings });
  } else {
    const render = (diagnostic: Diagnostic): string => renderDiagnostic(file, diagnostic);
    printLines(stderr, warnings.map(render));
    printLines(stdout, result.status === "loaded" ? [summaryOf(file, result)] : errors.map(render));
  }
  return result.status === "loaded" ? exitCodes.ok : exitCodes.configuration;
}

function check({ file, readFile, environment }: CheckOptions): LoadResult {
  let text: string;
  try {
    text = readNamedFile(file, readFile);
  } catch (reason) {
    // A file that cannot be read is a finding like any other, so that every failure has one form.
    const place = { severity: "error", path: "document", line: 1, column: 1 } as const;
    const { message } = errorFromUnknown(reason);
    return { status: "rejected", diagnostics: [{ ...place, message }] };
  }
  return loadConfig(text, { readFile, environment, compileExpression });
}

function summaryOf(file: string, { config }: Extract<LoadResult, { status: "loaded" }>): string {
  const queries = config.connections.reduce((sum, each) => sum + each.queries.length, 0);
  const counts = [
    counted(config.connections.length, "connection"),
    counted(config.signals.length, "signal"),
    queries === 1 ? "1 query" : `${queries} queries`,
  ];
  return `${file}: valid: ${counts.join(", ")}`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Adds `leadline check`. */
export function registerCheck(
  program: Command,
  context: CliContext,
  setExitCode: (code: number) => void,
): void {
  program
    .command("check")
    .description("validate leadline.yaml offline; exit code 1 when it would be refused")
    .argument("<file>", "the configuration")
    .addOption(new Option("-o, --output <format>").choices(outputFormats).default("text"))
    .action((file: string, { output }: { readonly output: OutputFormat }) => {
      const readFile: ReadFile = (path) => readFileSync(path, "utf8");
      const { environment, stdout, stderr } = context;
      setExitCode(runCheck({ file, output, readFile, environment, stdout, stderr }));
    });
}
