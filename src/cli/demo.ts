import { tmpdir } from "node:os";
import { InvalidArgumentError, Option } from "commander";
import type { Command } from "commander";
import { systemClock, systemRandom } from "../runtime/clock.ts";
import type { CliContext } from "./context.ts";
import { exitCodes } from "./context.ts";

interface DemoFlags {
  readonly for?: number;
  readonly timeScale: number;
  readonly breakApiAt?: number;
  readonly breakApiFor: number;
}

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A duration such as `60s`, `90`, `1.5m` or `500ms`, in milliseconds; a bare number means seconds. Throws what commander reports as wrong usage. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/u.exec(text);
  const unitMs = unitsMs[match?.[2] ?? "s"];
  if (match === null || unitMs === undefined || Number(match[1]) === 0)
    throw new InvalidArgumentError("a duration above 0, e.g. 60s, 2m, 500ms.");
  return Number(match[1]) * unitMs;
}

/** How many times faster than a cluster, 1 to 100. Throws what commander reports as wrong usage. */
export function parseTimeScale(text: string): number {
  const scale = /^\d+(\.\d+)?$/u.test(text) ? Number(text) : Number.NaN;
  if (!(scale >= 1 && scale <= 100)) throw new InvalidArgumentError("a number from 1 to 100.");
  return scale;
}

/** Adds `leadline demo`. */
export function registerDemo(
  program: Command,
  context: CliContext,
  setExitCode: (code: number) => void,
): void {
  program
    .command("demo")
    .description("watch a real queue move an HPA, without a cluster")
    .option(
      "--for <duration>",
      "end after this time, e.g. 60s (default: when stopped)",
      parseDuration,
    )
    .option("--time-scale <n>", "how many times faster than a cluster", parseTimeScale, 15)
    .option("--break-api-at <duration>", "stop the API server alone at this time", parseDuration)
    .addOption(
      new Option("--break-api-for <duration>", "start it again after this time")
        .argParser(parseDuration)
        .default(8000, "8s"),
    )
    .action(async (flags: DemoFlags) => {
      setExitCode(await demo(flags, context));
    });
}

async function demo(flags: DemoFlags, context: CliContext): Promise<number> {
  const { runDemo } = await import("../demo/demo.ts");
  const { createTerminal } = await import("../demo/process-terminal.ts");
  const { environment, stderr, stop } = context;
  stop.arm();
  const noColour = environment["NO_COLOR"];
  try {
    const isGood = await runDemo(
      {
        durationMs: flags.for,
        timeScale: flags.timeScale,
        breakApiAtMs: flags.breakApiAt,
        breakApiForMs: flags.breakApiFor,
      },
      {
        ...{ clock: systemClock, random: systemRandom, stop: stop.signal },
        terminal: createTerminal(noColour === undefined || noColour === ""),
        leadlineCommand: [process.execPath, ...process.argv.slice(1, 2)],
        redisBinary: environment["REDIS_SERVER"] ?? "redis-server",
        temporaryDirectory: tmpdir(),
      },
    );
    return isGood ? exitCodes.ok : exitCodes.configuration;
  } catch (reason) {
    stderr(`leadline demo: ${reason instanceof Error ? reason.message : String(reason)}\n`);
    return exitCodes.configuration;
  }
}
