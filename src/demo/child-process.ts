import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import type { Clock } from "../runtime/clock.ts";
import { createDeferred } from "./deferred.ts";
import type { Watchdog } from "./watchdog.ts";

/** A program to run. */
export interface ChildProcessOptions {
  /** What it is called in messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly workingDirectory: string;
  readonly clock: Clock;
  readonly watchdog: Watchdog;
}

const keptLines = 20;
/** How long a program may take to end by itself, milliseconds. */
const stopGraceMs = 5000;

/**
 * A program that belongs to the demo: started in a process group of its own (Ctrl-C in the terminal reaches only the demo, which then stops it),
 * ended with SIGTERM and, when that does not help, SIGKILL.
 */
export class DemoProcess {
  readonly #options: ChildProcessOptions;
  readonly #child: ChildProcess;
  readonly #exited: Promise<string>;
  readonly #listeners = new Set<(line: string) => void>();
  #lines: readonly string[] = [];
  #end: string | undefined;

  constructor(options: ChildProcessOptions) {
    this.#options = options;
    const { command, args, workingDirectory } = options;
    const child = spawn(command, args, {
      cwd: workingDirectory,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      child.once("error", (error) => resolve(error.message));
      child.once("exit", (code, signal) =>
        resolve(signal === null ? `exit code ${code}` : `signal ${signal}`),
      );
    });
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => this.#see(line));
    }
    const { pid } = child;
    if (pid !== undefined) options.watchdog.guard(pid);
    this.#exited.then(
      (end) => {
        this.#end = end;
        if (pid !== undefined) options.watchdog.release(pid);
      },
      () => undefined,
    );
  }

  /** Undefined when it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Its last lines of output. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** How it ended; resolves when it has. */
  get exited(): Promise<string> {
    return this.#exited;
  }

  /** The first line for which `match` gives something. Rejects, with the last lines, when the program ends or `timeoutMs` pass before. */
  async waitForLine<T>(
    match: (line: string) => T | undefined,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<T> {
    const deadline = this.#options.clock.timeout(timeoutMs, signal);
    const found = createDeferred<T>();
    const look = (line: string): void => {
      const value = match(line);
      if (value !== undefined) found.resolve(value);
    };
    const fail = (): void => found.reject(deadline.signal.reason as Error);
    deadline.signal.addEventListener("abort", fail, { once: true });
    this.#listeners.add(look);
    this.#lines.forEach(look);
    const ended = this.#exited.then((end) => {
      throw new Error(`ended with ${end}`);
    });
    try {
      return await Promise.race([found.promise, ended]);
    } catch (reason) {
      signal.throwIfAborted();
      const finding = reason instanceof Error ? reason.message : String(reason);
      const tail = this.#lines.slice(-5).join("\n  ");
      throw new Error(`${this.#options.name}: ${finding}${tail === "" ? "" : `\n  ${tail}`}`, {
        cause: reason,
      });
    } finally {
      this.#listeners.delete(look);
      deadline.signal.removeEventListener("abort", fail);
      deadline.clear();
    }
  }

  /** Ends the program and waits until it is gone. */
  async stop(): Promise<void> {
    if (this.#end !== undefined || this.#child.pid === undefined) return;
    this.#child.kill("SIGTERM");
    const grace = this.#options.clock.timeout(stopGraceMs);
    grace.signal.addEventListener("abort", () => this.#child.kill("SIGKILL"), { once: true });
    await this.#exited;
    grace.clear();
  }

  #see(line: string): void {
    this.#lines = [...this.#lines.slice(1 - keptLines), line];
    for (const listener of this.#listeners) listener(line);
  }
}
