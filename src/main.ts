/* The process entry: argv, environment, signals and the exit code, and nothing else. */
import { createStopSignals } from "./cli/stop-signals.ts";
import { runCli } from "./cli/cli.ts";

process.exitCode = await runCli(process.argv.slice(2), {
  environment: process.env,
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
  stop: createStopSignals({
    // A second signal means now: whoever sends it has waited long enough.
    onSignal: (name, handler) => process.on(name, handler),
    exit: (code) => process.exit(code),
  }),
});
