import { setTimeout as sleep } from "node:timers/promises";
import type { Job } from "bullmq";
import { Worker } from "bullmq";
import type { Cluster } from "./cluster.ts";

/** Whose pods the workers stand for, and what they do. */
export interface WorkerPoolOptions {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly labelSelector: string;
  readonly queue: string;
  readonly redisPort: number;
  readonly work: (job: Job) => Promise<unknown>;
}

interface PodList {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
    readonly status: {
      readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    };
  }[];
}

const followIntervalMs = 250;

/**
 * What would run inside the pods: one real BullMQ worker for each Ready pod, by name.
 *
 * A worker is closed as its pod goes: it finishes the job it holds and takes no other.
 */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #workers = new Map<string, Worker>();
  readonly #closing = new Set<Promise<unknown>>();
  readonly #stopped = new AbortController();
  readonly #loop: Promise<void>;
  #peak = 0;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#loop = this.#follow();
  }

  /** Workers that run now. */
  get size(): number {
    return this.#workers.size;
  }

  /** Workers whose pods are gone and that have not ended yet; until then they may still take a job. */
  get closing(): number {
    return this.#closing.size;
  }

  /** The most workers that ran at once since the last reset. */
  get peak(): number {
    return this.#peak;
  }

  resetPeak(): void {
    this.#peak = this.#workers.size;
  }

  /** Stops following and closes all workers; those that cannot finish within two seconds are cut off. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#loop;
    const graceful = [...this.#workers.keys()].map((pod) => this.#close(pod));
    const late = sleep(2_000, "late" as const, { ref: false });
    const first = await Promise.race([Promise.all([...graceful, ...this.#closing]), late]);
    if (first !== "late") return;
    throw new Error(`${this.#closing.size} workers did not end`);
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const ready = await this.#readyPods().catch(() => undefined);
      if (ready !== undefined) this.#match(ready);
      await sleep(followIntervalMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #readyPods(): Promise<ReadonlySet<string>> {
    const { cluster, namespace, labelSelector } = this.#options;
    const query = new URLSearchParams({ labelSelector });
    const pods = await cluster.admin.get<PodList>(
      `/api/v1/namespaces/${namespace}/pods?${query.toString()}`,
    );
    const ready = pods.items.filter(
      ({ metadata, status }) =>
        metadata.deletionTimestamp === undefined &&
        status.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True"),
    );
    return new Set(ready.map(({ metadata }) => metadata.name));
  }

  #match(ready: ReadonlySet<string>): void {
    for (const pod of ready) if (!this.#workers.has(pod)) this.#open(pod);
    for (const pod of this.#workers.keys()) if (!ready.has(pod)) void this.#close(pod);
    this.#peak = Math.max(this.#peak, this.#workers.size);
  }

  #open(pod: string): void {
    const { queue, redisPort, work } = this.#options;
    const worker = new Worker(queue, work, {
      connection: {
        host: "127.0.0.1",
        port: redisPort,
        maxRetriesPerRequest: null,
        retryStrategy: () => 250,
      },
      concurrency: 1,
      // A worker that lost its Redis lost its locks; its jobs are given out again after this time.
      lockDuration: 10_000,
      stalledInterval: 5_000,
      maxStalledCount: 10,
    });
    // Redis being away is the subject of some tests: the worker reconnects by itself.
    worker.on("error", () => undefined);
    this.#workers.set(pod, worker);
  }

  async #close(pod: string): Promise<unknown> {
    const worker = this.#workers.get(pod);
    if (worker === undefined) return undefined;
    this.#workers.delete(pod);
    const closed = worker.close().catch(() => undefined);
    this.#closing.add(closed);
    return closed.finally(() => this.#closing.delete(closed));
  }
}
