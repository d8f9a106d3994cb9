import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "./wait-for.ts";

/** What to run and where its output goes. */
export interface ProcessSpec {
  /** How messages call it. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Takes stdout and stderr; created, or appended to. */
  readonly logFile: string;
  /** Whole environment of the process; default: this process's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** How a process ended. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

// Two last resorts, so that a test process that ends in whatever way leaves nothing behind. Linux itself can kill the children of
// a process that was killed; setpriv asks for that and becomes the command. Elsewhere, and on an orderly end, the handler below.
const setpriv = "/usr/bin/setpriv";
const guard = existsSync(setpriv) ? [setpriv, "--pdeathsig", "KILL"] : [];
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** A child process that is never lost: its output is kept in a file, its end is known, its stop is bounded. */
export class ManagedProcess {
  readonly name: string;
  readonly logFile: string;
  /** Resolves when the process has ended, however it ended; never rejects. */
  readonly exited: Promise<ProcessExit>;
  readonly #child: ChildProcess;
  #exit: ProcessExit | undefined;
  #failure: Error | undefined;

  constructor(spec: ProcessSpec) {
    this.name = spec.name;
    this.logFile = spec.logFile;
    const log = openSync(spec.logFile, "a");
    const [command = spec.command, ...args] = [...guard, spec.command, ...spec.args];
    this.#child = spawn(command, args, {
      stdio: ["ignore", log, log],
      env: { ...(spec.env ?? process.env) },
    });
    closeSync(log);
    running.add(this.#child);
    this.exited = new Promise((resolve) => {
      const end = (exit: ProcessExit): void => {
        running.delete(this.#child);
        this.#exit = exit;
        resolve(exit);
      };
      this.#child.once("error", (reason) => {
        this.#failure = reason;
        end({ code: null, signal: null });
      });
      this.#child.once("exit", (code, signal) => end({ code, signal }));
    });
  }

  /** Process id; absent when it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  get isRunning(): boolean {
    return this.#exit === undefined;
  }

  /** Everything the process has written so far. */
  async output(): Promise<string> {
    return readFile(this.logFile, "utf8");
  }

  /** Waits for `isReady`; fails at once, with the end of its output, when the process ends before. */
  async untilReady(isReady: () => Promise<boolean>, timeoutMs: number): Promise<void> {
    const failed = this.exited.then(async (exit) => {
      const how = this.#failure?.message ?? `exit code ${exit.code}, signal ${exit.signal}`;
      throw new Error(`${this.name} ended before it was ready (${how}): ${await this.#tail()}`);
    });
    const ready = waitFor(
      `${this.name} is ready (its log: ${this.logFile})`,
      async () => {
        const met = await isReady();
        return { met: met || !this.isRunning, seen: met ? "ready" : "not ready" };
      },
      timeoutMs,
    );
    await Promise.race([ready, failed]);
    if (!this.isRunning) await failed;
  }

  /** Sends a signal; nothing when the process has ended. */
  kill(signal: NodeJS.Signals): void {
    if (this.isRunning) this.#child.kill(signal);
  }

  /** SIGTERM, then SIGKILL after `graceMs`. Resolves when the process is gone; idempotent. */
  async stop(graceMs = 5_000): Promise<ProcessExit> {
    this.kill("SIGTERM");
    const grace = new AbortController();
    const late = sleep(graceMs, "late" as const, { signal: grace.signal }).catch(
      () => "gone" as const,
    );
    const first = await Promise.race([this.exited, late]);
    grace.abort();
    if (first === "late") this.kill("SIGKILL");
    return this.exited;
  }

  async #tail(): Promise<string> {
    const lines = (await this.output().catch(() => "")).trimEnd().split("\n");
    return lines.slice(-15).join("\n");
  }
}
