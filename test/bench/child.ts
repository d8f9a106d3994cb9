import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { once } from "node:events";

/** A process of the bench's own: its standard output is JSON lines. */
export interface Child {
  readonly process: ChildProcess;
  readonly pid: number;
  /** Resolves with the first line that `matches`; rejects when the process ends before it. */
  readonly waitFor: (
    matches: (line: Record<string, unknown>) => boolean,
  ) => Promise<Record<string, unknown>>;
  /** Ends the process and waits for it; SIGKILL after ten seconds. */
  readonly stop: () => Promise<void>;
}

/** Starts a process on this Node whose standard output is JSON lines; anything else is passed on. */
export function startChild(args: readonly string[], environment?: NodeJS.ProcessEnv): Child {
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...environment },
  });
  if (child.pid === undefined) throw new Error(`cannot start ${args.join(" ")}`);
  const seen: Record<string, unknown>[] = [];
  const waiting = new Set<(line: Record<string, unknown>) => void>();
  createInterface({ input: child.stdout }).on("line", (text) => {
    const line = parseLine(text);
    if (line === undefined) return;
    seen.push(line);
    if (seen.length > 200) seen.shift();
    for (const look of waiting) look(line);
  });
  const exited = once(child, "exit");
  return {
    process: child,
    pid: child.pid,
    waitFor: (matches) =>
      new Promise((resolve, reject) => {
        const look = (line: Record<string, unknown>): void => {
          if (!matches(line)) return;
          waiting.delete(look);
          resolve(line);
        };
        waiting.add(look);
        seen.forEach(look);
        child.once("exit", (code) => reject(new Error(`${args[0]} ended with ${String(code)}`)));
      }),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGTERM");
      const killer = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await exited;
      clearTimeout(killer);
    },
  };
}

function parseLine(text: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null
      ? (parsed as Record<string, unknown>)
      : undefined;
  } catch {
    process.stderr.write(`${text}\n`);
    return undefined;
  }
}

/** CPU seconds that a process has used so far, user and system (proc(5), stat fields 14 and 15, at 100 ticks a second). */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Resident memory of a process, MiB (proc(5), status: VmRSS). */
export function residentMebibytes(pid: number): number {
  const match = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(match?.[1]) / 1024;
}
