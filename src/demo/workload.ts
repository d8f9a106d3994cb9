import type * as bullmq from "bullmq";
import type { Queue, Worker } from "bullmq";
import type { Clock, Random } from "../runtime/clock.ts";
import type { ScaleTarget } from "./controller.ts";

/** BullMQ as a module: it is no dependency of what Leadline ships, so whoever has it passes it in. */
export type BullMq = Pick<typeof bullmq, "Queue" | "Worker">;

/** What the workload is made of. */
export interface WorkloadOptions {
  readonly bullMq: BullMq;
  readonly redisPort: number;
  readonly queue: string;
  /** Mean time that a job takes, milliseconds; each takes half to one and a half of it. */
  readonly meanServiceMs: number;
  readonly clock: Clock;
  readonly random: Random;
}

/** A BullMQ queue, its producer, and workers of concurrency 1, each of which stands for one replica of a Deployment. */
export class Workload implements ScaleTarget {
  readonly #options: WorkloadOptions;
  readonly #queue: Queue;
  readonly #closing = new Set<Promise<void>>();
  #workers: readonly Worker[] = [];
  #ready: ReadonlySet<Worker> = new Set();
  #produced = 0;
  #done = 0;
  #longestWaitMs = 0;

  constructor(options: WorkloadOptions) {
    this.#options = options;
    const { bullMq, queue } = options;
    this.#queue = new bullMq.Queue(queue, {
      connection: this.#connection(),
      defaultJobOptions: { removeOnComplete: 1000, removeOnFail: 1000 },
    });
    this.#queue.on("error", ignoreError);
  }

  get specReplicas(): number {
    return this.#workers.length;
  }

  get statusReplicas(): number {
    return this.#workers.length;
  }

  get readyReplicas(): number {
    return this.#workers.filter((worker) => this.#ready.has(worker)).length;
  }

  get produced(): number {
    return this.#produced;
  }

  get done(): number {
    return this.#done;
  }

  /** The longest time that a job waited for a worker, milliseconds. */
  get longestWaitMs(): number {
    return this.#longestWaitMs;
  }

  /** Creates the queue in Redis. */
  async prepare(): Promise<void> {
    await this.#queue.waitUntilReady();
  }

  /** Adds jobs to the queue. */
  async produce(jobs: number): Promise<void> {
    if (jobs === 0) return;
    await this.#queue.addBulk(Array.from({ length: jobs }, () => ({ name: "job", data: {} })));
    this.#produced += jobs;
  }

  /** Jobs waiting or being worked on. */
  async depth(): Promise<number> {
    const counts = await this.#queue.getJobCounts("waiting", "active");
    return Object.values(counts).reduce((sum, count) => sum + count, 0);
  }

  /** A worker that is taken away finishes its job first, as a pod does that ends gracefully. */
  setReplicas(replicas: number): void {
    while (this.#workers.length < replicas) this.#workers = [...this.#workers, this.#startWorker()];
    for (const worker of this.#workers.slice(replicas)) this.#close(worker, false);
    this.#workers = this.#workers.slice(0, replicas);
  }

  /** Ends workers and producer at once. */
  async stop(): Promise<void> {
    for (const worker of this.#workers) this.#close(worker, true);
    this.#workers = [];
    await Promise.all(this.#closing);
    await this.#queue.close();
  }

  #connection(): { readonly host: string; readonly port: number } {
    return { host: "127.0.0.1", port: this.#options.redisPort };
  }

  #startWorker(): Worker {
    const { bullMq, queue, clock, random, meanServiceMs } = this.#options;
    const worker = new bullMq.Worker(
      queue,
      async (job) => {
        this.#longestWaitMs = Math.max(this.#longestWaitMs, clock.now() - job.timestamp);
        await clock.sleep(meanServiceMs * (0.5 + random()));
        this.#done += 1;
      },
      { connection: this.#connection(), concurrency: 1 },
    );
    worker.on("error", ignoreError);
    worker.on("ready", () => {
      this.#ready = new Set([...this.#ready, worker]);
    });
    return worker;
  }

  #close(worker: Worker, force: boolean): void {
    const closing = worker.close(force).catch(ignoreError);
    this.#closing.add(closing);
    void closing.finally(() => this.#closing.delete(closing));
  }
}

/** BullMQ reconnects by itself; that Redis is gone is noticed by whoever started it. */
function ignoreError(): void {
  return undefined;
}
