import type { StopSignals } from "./stop-signals.ts";

/** Exit codes of every command: done, the configuration is not acceptable, the command line is not. */
export const exitCodes = { ok: 0, configuration: 1, usage: 2 } as const;

/** What a command gets of the process it runs in. */
export interface CliContext {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly stop: StopSignals;
}
