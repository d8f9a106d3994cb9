import { Command, CommanderError } from "commander";
import { readBuildInfo } from "../app/build-info.ts";
import { registerCheck } from "./check.ts";
import { exitCodes, type CliContext } from "./context.ts";
import { registerDemo } from "./demo.ts";
import { registerServe } from "./serve.ts";

/**
 * Runs one command line (without the program's own name) and returns the exit code: 0, 1 for a configuration that is not acceptable, 2 for a
 * command line that is not. Each command loads what it needs when it runs, so that `check` starts no client and `serve` loads no demo.
 */
export async function runCli(args: readonly string[], context: CliContext): Promise<number> {
  let exitCode: number = exitCodes.ok;
  const setExitCode = (code: number): void => {
    exitCode = code;
  };
  const program = new Command("leadline")
    .description("Kubernetes external metrics that follow real work")
    .version(readBuildInfo().version, "--version", "print the version")
    .exitOverride()
    .configureOutput({ writeOut: context.stdout, writeErr: context.stderr });
  // Subcommands copy these settings when they are made.
  registerServe(program, context, setExitCode);
  registerCheck(program, context, setExitCode);
  registerDemo(program, context, setExitCode);
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (reason) {
    if (reason instanceof CommanderError) {
      return reason.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    }
    throw reason;
  }
}
