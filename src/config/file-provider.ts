import { readFile } from "node:fs/promises";
import type { Clock } from "../runtime/clock.ts";
import { errorFromUnknown } from "../runtime/errors.ts";
import { FileChanges } from "../runtime/file-changes.ts";
import type { Component } from "../runtime/lifecycle.ts";
import type { Logger } from "../runtime/logger.ts";
import type { ConfigCoordinator } from "./coordinator.ts";
import { readFailure } from "./secrets.ts";

/** What a file provider needs. */
export interface FileProviderOptions {
  readonly file: string;
  readonly coordinator: Pick<ConfigCoordinator, "apply" | "reportUnreadable">;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Content that was applied before the start; the file is applied only when it differs. Default: none, so the first read is applied. */
  readonly appliedText?: string;
  /** Time between two looks at the file when nothing was noticed, for mounts that give no events. Milliseconds; default 10,000. */
  readonly pollIntervalMs?: number;
  /** Time for which a file must stay the same before it is taken for complete. Milliseconds; default 200. */
  readonly settleMs?: number;
}

const defaultPollIntervalMs = 10_000;
const defaultSettleMs = 200;
/** The content of the file at one instant, or why there is none. */
interface FileLook {
  readonly text: string | undefined;
  readonly reason?: unknown;
}

/** Looks at a file that keeps changing before it waits for the next event. */
const maxLooks = 50;

/**
 * Hands the content of a mounted file to the coordinator whenever it changes.
 *
 * Watches the directory, because a ConfigMap mount changes by a swap of the symlink `..data` beside the file (upstream: kubelet
 * `pkg/volume/util/atomic_writer.go`) and an editor by a rename; looks at the file anyhow from time to time. What is still being written is left
 * alone until it settles. A file that goes away changes nothing. Content that was refused is tried again at each look, because a
 * missing secret may have come.
 */
export class ConfigFileProvider implements Component {
  readonly name = "config file";
  readonly #options: FileProviderOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  /** The content in force, as long as the last try ended well. */
  #appliedText: string | undefined;

  constructor(options: FileProviderOptions) {
    this.#options = options;
    this.#appliedText = options.appliedText;
  }

  /** Starts to watch; does not wait for the first look. */
  start(): Promise<void> {
    if (this.#running === undefined && !this.#stopping.signal.aborted) {
      this.#running = this.#run(this.#stopping.signal);
    }
    return Promise.resolve();
  }

  /** Stops watching and waits for a look that is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { file, clock, logger, pollIntervalMs = defaultPollIntervalMs } = this.#options;
    // Looking twice settles what is still being written: no quiet time is needed before.
    const changes = new FileChanges({ files: [file], clock, pollIntervalMs, settleMs: 0 });
    while (!signal.aborted) {
      try {
        await this.#look(signal);
      } catch (reason) {
        if (this.#stopping.signal.aborted) break;
        logger.error({ err: errorFromUnknown(reason) }, "Configuration watch failed");
      }
      await changes.next(signal);
    }
    changes.close();
  }

  /** Reads until two reads agree, then applies what is new. */
  async #look(signal: AbortSignal): Promise<void> {
    const { clock, file, coordinator, settleMs = defaultSettleMs } = this.#options;
    let seen = await this.#read(signal);
    for (let looks = 0; looks < maxLooks; looks += 1) {
      if (seen.text !== undefined && seen.text === this.#appliedText) return;
      await clock.sleep(settleMs, signal);
      const again = await this.#read(signal);
      const isSettled = again.text === seen.text;
      seen = again;
      if (isSettled) break;
    }
    if (seen.text === undefined) {
      this.#appliedText = undefined;
      coordinator.reportUnreadable(readFailure(file, seen.reason).message);
      return;
    }
    const outcome = await coordinator.apply(seen.text);
    const isInForce = outcome.status === "applied" || outcome.status === "unchanged";
    this.#appliedText = isInForce ? seen.text : undefined;
  }

  async #read(signal: AbortSignal): Promise<FileLook> {
    try {
      return { text: await readFile(this.#options.file, { encoding: "utf8", signal }) };
    } catch (reason) {
      signal.throwIfAborted();
      return { text: undefined, reason };
    }
  }
}
