import { setTimeout as sleep } from "node:timers/promises";
import type { ApiClient } from "./control-plane/api-client.ts";

/** One read, as it went. Times are milliseconds of `performance.now()`. */
export interface Read {
  readonly startedMs: number;
  readonly endedMs: number;
  /** Label `replica` of the value: which server answered. Absent when the read failed. */
  readonly replica: string | undefined;
  /** Why it failed; absent when it did not. */
  readonly failure: string | undefined;
}

/** What is read. */
export interface SteadyReadsOptions {
  readonly client: ApiClient;
  readonly path: string;
  /** Reads sent at the same moment; the HPA controller's workers do the same. */
  readonly burst: number;
  /** Time between two bursts. */
  readonly intervalMs: number;
}

interface ValueList {
  readonly items: readonly { readonly metricLabels: Readonly<Record<string, string>> }[];
}

/** Reads of one metric in an open loop: they go out on time whether or not earlier ones have come back. */
export class SteadyReads {
  readonly #options: SteadyReadsOptions;
  readonly #reads: Read[] = [];
  readonly #stopped = new AbortController();
  readonly #loop: Promise<void>;

  constructor(options: SteadyReadsOptions) {
    this.#options = options;
    this.#loop = this.#run();
  }

  /** Reads that have ended, in the order in which they did. */
  get reads(): readonly Read[] {
    return this.#reads;
  }

  /** Good reads that one replica has answered since a moment. */
  servedBy(replica: string, sinceMs = 0): number {
    return this.#reads.filter((read) => read.replica === replica && read.startedMs >= sinceMs)
      .length;
  }

  /** Sends no more and waits for what is under way. */
  async stop(): Promise<readonly Read[]> {
    this.#stopped.abort();
    await this.#loop;
    return this.#reads;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    const { burst, intervalMs } = this.#options;
    const startedMs = performance.now();
    const pending = new Set<Promise<void>>();
    for (let round = 1; !signal.aborted; round += 1) {
      for (let index = 0; index < burst; index += 1) {
        const read = this.#read();
        pending.add(read);
        void read.finally(() => pending.delete(read));
      }
      const pauseMs = startedMs + round * intervalMs - performance.now();
      await sleep(Math.max(0, pauseMs), undefined, { signal }).catch(() => undefined);
    }
    await Promise.all(pending);
  }

  async #read(): Promise<void> {
    const startedMs = performance.now();
    const outcome = await this.#outcome().catch((reason: unknown) => ({ failure: String(reason) }));
    this.#reads.push({
      startedMs,
      endedMs: performance.now(),
      replica: "replica" in outcome ? outcome.replica : undefined,
      failure: "failure" in outcome ? outcome.failure : undefined,
    });
  }

  async #outcome(): Promise<{ readonly replica: string } | { readonly failure: string }> {
    const response = await this.#options.client.send({ path: this.#options.path });
    if (response.status !== 200) return { failure: `${response.status} ${response.text}` };
    const list = JSON.parse(response.text) as ValueList; // what the API serves under this path
    const replica = list.items[0]?.metricLabels["replica"];
    return replica === undefined ? { failure: `no value in ${response.text}` } : { replica };
  }
}
