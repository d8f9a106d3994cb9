import { watch } from "node:fs";
import type { FSWatcher } from "node:fs";
import { basename, dirname } from "node:path";
import type { Clock } from "./clock.ts";

/** Which files to watch, and how patiently; milliseconds. */
export interface FileChangesOptions {
  readonly files: readonly string[];
  readonly clock: Clock;
  /** Longest time between two looks, for mounts that report nothing. */
  readonly pollIntervalMs: number;
  /** Quiet time after an event: what belongs together is often written one file after the other. */
  readonly settleMs: number;
}

/** Quiet times waited for after one event: a file that is written without end is looked at nevertheless. */
const maxSettles = 10;

/**
 * Tells when files may have changed. Watches their directories, because a kubelet mount changes by a swap of the symlink `..data` beside the files, and a watch
 * on a file itself stays on the old one (upstream: kubelet `pkg/volume/util/atomic_writer.go`).
 */
export class FileChanges {
  readonly #options: FileChangesOptions;
  readonly #watchers = new Map<string, FSWatcher>();
  #hasChanged = false;
  #wake: (() => void) | undefined;

  constructor(options: FileChangesOptions) {
    this.#options = options;
    this.#openWatchers();
  }

  /** Resolves after the next event and its quiet time, after the poll interval, or when the signal aborts. Never rejects. */
  async next(signal: AbortSignal): Promise<void> {
    const { clock, pollIntervalMs, settleMs } = this.#options;
    this.#openWatchers();
    if (!this.#hasChanged) await this.#wait(clock.timeout(pollIntervalMs, signal));
    for (let settles = 0; this.#hasChanged && settles < maxSettles; settles += 1) {
      if (signal.aborted) return;
      this.#hasChanged = false;
      await clock.sleep(settleMs, signal).catch(() => undefined);
    }
  }

  /** Closes the watches; idempotent. */
  close(): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  async #wait(deadline: ReturnType<Clock["timeout"]>): Promise<void> {
    const { signal } = deadline;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (signal.aborted) resolve();
      else signal.addEventListener("abort", () => resolve(), { once: true });
    });
    this.#wake = undefined;
    deadline.clear();
  }

  /** A directory that cannot be watched now, or whose watch broke, is tried again before each wait; polling goes on meanwhile. */
  #openWatchers(): void {
    for (const folder of new Set(this.#options.files.map((file) => dirname(file)))) {
      if (!this.#watchers.has(folder)) this.#openWatcher(folder);
    }
  }

  #openWatcher(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, (_event, changed) => {
        if (this.#concerns(folder, changed)) this.#notice();
      });
      watcher.on("error", () => {
        watcher.close();
        this.#watchers.delete(folder);
      });
      this.#watchers.set(folder, watcher);
    } catch {
      // Not there, or no watches left: the poll finds changes.
    }
  }

  /** Other files beside ours (a log, an editor's backup) are none of our business; names with two dots are kubelet's links. */
  #concerns(folder: string, changed: string | null): boolean {
    if (changed === null || changed.startsWith("..")) return true;
    return this.#options.files.some(
      (file) => dirname(file) === folder && basename(file) === changed,
    );
  }

  #notice(): void {
    this.#hasChanged = true;
    this.#wake?.();
  }
}
