import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

/** Clears up after the demo however it ends, SIGKILL included. */
export interface Watchdog {
  /** A directory of the demo's own; gone when the demo is. */
  readonly directory: string;
  /** This process ends at the latest when the demo does. */
  guard(pid: number): void;
  /** This process has ended; its number may belong to somebody else now. */
  release(pid: number): void;
  /** Removes the directory and ends the watch. Call it when every guarded process is gone. */
  stop(): void;
}

// `read` returns when the demo's end of the pipe is closed, which the kernel does when the demo is gone for whatever reason.
const script = `while read -r _; do :; done
for file in "$1"/pids/*; do
  [ -e "$file" ] && kill -9 "\${file##*/}" 2>/dev/null
done
rm -rf "$1"`;

/** Makes the directory under `parent` and starts the watch: a shell that waits for the end of its standard input. */
export function startWatchdog(parent: string): Watchdog {
  const directory = mkdtempSync(path.join(parent, "leadline-demo-"));
  const pidFile = (pid: number): string => path.join(directory, "pids", String(pid));
  mkdirSync(path.join(directory, "pids"));
  const shell = spawn("/bin/sh", ["-c", script, "leadline-demo-watchdog", directory], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  // Without a shell the demo still clears up whenever it can do so itself.
  shell.on("error", () => undefined);
  shell.unref();
  return {
    directory,
    guard: (pid) => writeFileSync(pidFile(pid), ""),
    release: (pid) => rmSync(pidFile(pid), { force: true }),
    stop: () => {
      rmSync(directory, { recursive: true, force: true });
      shell.stdin.end();
    },
  };
}
