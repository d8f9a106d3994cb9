import type { Clock, Random } from "../runtime/clock.ts";
import { errorCode, errorFromUnknown } from "../runtime/errors.ts";
import type { ExternalMetricRead } from "../simulator/hpa-metrics.ts";
import { StandInController } from "./controller.ts";
import type { DemoResult } from "./demo-run.ts";
import { DemoRun } from "./demo-run.ts";
import { LeadlineProcess } from "./leadline-process.ts";
import { readExternalMetric } from "./metric-client.ts";
import type { RedisProcess } from "./redis-process.ts";
import { startRedis } from "./redis-process.ts";
import { runTogether, untilAborted } from "./run-together.ts";
import type { Task } from "./run-together.ts";
import {
  demoConfig,
  demoHpa,
  demoMetricPath,
  demoNamespace,
  demoQueue,
  meanServiceMs,
} from "./scenario.ts";
import type { Terminal } from "./screen.ts";
import { summarize } from "./summary.ts";
import { startWatchdog } from "./watchdog.ts";
import type { Watchdog } from "./watchdog.ts";
import type { BullMq } from "./workload.ts";
import { Workload } from "./workload.ts";

/** What a user may ask for; all times are real time. */
export interface DemoOptions {
  /** How long it runs, milliseconds. Undefined: until it is stopped. */
  readonly durationMs: number | undefined;
  /** Seconds of cluster time that pass in one real second. */
  readonly timeScale: number;
  /** When the API server is stopped for a while, milliseconds from the start. Undefined: never. */
  readonly breakApiAtMs: number | undefined;
  /** How long it stays stopped, milliseconds. */
  readonly breakApiForMs: number;
}

/** What the demo needs of the process that it runs in. */
export interface DemoDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly terminal: Terminal;
  /** How to run Leadline, e.g. node and `bin/leadline.js`. */
  readonly leadlineCommand: readonly [string, ...string[]];
  /** Path or name of a redis-server. */
  readonly redisBinary: string;
  /** Where the demo may make a directory of its own. */
  readonly temporaryDirectory: string;
  /** Aborts when the demo is to end. */
  readonly stop: AbortSignal;
}

/** Something that cannot be helped by the demo; the message says what to do. */
export class DemoError extends Error {
  override readonly name = "DemoError";
}

const readTimeoutMs = 3000;
const firstReadTimeoutMs = 20_000;
const firstReadIntervalMs = 100;

/**
 * Runs the demo: a real queue, real workers, Leadline over HTTPS, and a controller that does the HPA's arithmetic. Returns whether the run was good. Whatever it
 * started is gone when it returns or throws.
 */
export async function runDemo(
  options: DemoOptions,
  dependencies: DemoDependencies,
): Promise<boolean> {
  const { terminal, stop } = dependencies;
  const bullMq = await loadBullMq();
  const watchdog = startWatchdog(dependencies.temporaryDirectory);
  const stage = new Stage(bullMq, watchdog, dependencies);
  let result: DemoResult | undefined;
  try {
    await stage.start(options.timeScale, stop);
    const run = stage.createRun(options.timeScale);
    await runTogether(tasksOf(options, stage, run), stop);
    ({ result } = run);
  } catch (reason) {
    if (!stop.aborted) throw errorFromUnknown(reason);
  } finally {
    await stage.stop();
    watchdog.stop();
  }
  if (result === undefined) return true;
  const summary = summarize(result, options.timeScale);
  terminal.write(`\n${summary.lines.join("\n")}\n`);
  return summary.isGood;
}

function tasksOf(options: DemoOptions, stage: Stage, run: DemoRun): readonly Task[] {
  const { durationMs, breakApiAtMs, breakApiForMs } = options;
  const { clock, terminal } = stage.dependencies;
  const controller = stage.createController(options.timeScale, run);
  const tasks: Task[] = [
    (signal) => controller.run(signal),
    (signal) => run.produce(signal),
    (signal) => run.show(signal),
    (signal) => Promise.race([stage.crashed(), untilAborted(signal)]),
  ];
  if (terminal.onKey !== undefined) tasks.push((signal) => run.listen(signal));
  if (durationMs !== undefined) tasks.push((signal) => clock.sleep(durationMs, signal));
  if (breakApiAtMs !== undefined)
    tasks.push((signal) => run.breakApi(breakApiAtMs, breakApiForMs, signal));
  return tasks;
}

async function loadBullMq(): Promise<BullMq> {
  try {
    return await import("bullmq");
  } catch (reason) {
    const error = errorFromUnknown(reason);
    if (errorCode(error) !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new DemoError(
      "the demo needs the package bullmq, which is not installed here; run it from a clone (npm run demo), or first: npm install bullmq",
    );
  }
}

/** The processes and clients of a run, started in order and stopped in reverse. */
class Stage {
  readonly dependencies: DemoDependencies;
  readonly #bullMq: BullMq;
  readonly #watchdog: Watchdog;
  #redis: RedisProcess | undefined;
  #workload: Workload | undefined;
  #leadline: LeadlineProcess | undefined;

  constructor(bullMq: BullMq, watchdog: Watchdog, dependencies: DemoDependencies) {
    this.#bullMq = bullMq;
    this.#watchdog = watchdog;
    this.dependencies = dependencies;
  }

  /** Resolves when a first number has been read over HTTPS. */
  async start(timeScale: number, signal: AbortSignal): Promise<void> {
    const { clock, random, redisBinary, leadlineCommand } = this.dependencies;
    const watchdog = this.#watchdog;
    this.#say("starting redis-server");
    this.#redis = await startRedis({ binary: redisBinary, clock, watchdog }, signal);
    this.#say(`redis-server listens on 127.0.0.1:${this.#redis.port}; making the queue`);
    const workload = new Workload({
      ...{ bullMq: this.#bullMq, queue: demoQueue, redisPort: this.#redis.port, clock, random },
      meanServiceMs: meanServiceMs / timeScale,
    });
    this.#workload = workload;
    await Promise.race([workload.prepare(), untilAborted(signal)]);
    this.#say("starting Leadline");
    const config = demoConfig(this.#redis.port);
    const leadline = await LeadlineProcess.create({
      ...{ command: leadlineCommand, config, clock, watchdog },
    });
    this.#leadline = leadline;
    await leadline.start(signal);
    this.#say(`Leadline serves on ${leadline.address}; waiting for its first number`);
    await this.#firstRead(signal);
    workload.setReplicas(1);
  }

  createRun(timeScale: number): DemoRun {
    const { clock, terminal } = this.dependencies;
    const { workload, leadline } = this.#parts();
    const curl = `curl --cacert ${leadline.caFile} '${leadline.address}${demoMetricPath}'`;
    return new DemoRun({ clock, terminal, timeScale, workload, leadline, curl });
  }

  createController(timeScale: number, run: DemoRun): StandInController {
    const { workload } = this.#parts();
    return new StandInController({
      ...{ namespace: demoNamespace, spec: demoHpa, target: workload, timeScale },
      read: (signal) => this.#read(signal),
      clock: this.dependencies.clock,
      onSync: (result) => run.noteSync(result),
    });
  }

  /** Rejects when Redis or Leadline ends by itself. */
  async crashed(): Promise<never> {
    const { redis, leadline } = this.#parts();
    const redisEnd = redis.process.exited.then((end) => {
      throw new DemoError(`redis-server ended with ${end}`);
    });
    return Promise.race([redisEnd, leadline.crashed]);
  }

  /** Stops everything in reverse; safe whatever has been started. */
  async stop(): Promise<void> {
    await this.#leadline?.stop();
    await this.#workload?.stop();
    await this.#redis?.process.stop();
  }

  #parts(): { redis: RedisProcess; workload: Workload; leadline: LeadlineProcess } {
    const redis = this.#redis;
    const workload = this.#workload;
    const leadline = this.#leadline;
    if (redis === undefined || workload === undefined || leadline === undefined)
      throw new Error("the demo has not started yet");
    return { redis, workload, leadline };
  }

  #read(signal: AbortSignal): Promise<ExternalMetricRead> {
    const { leadline } = this.#parts();
    const url = leadline.address + demoMetricPath;
    const { clock } = this.dependencies;
    return readExternalMetric(
      { url, caPem: leadline.caPem, timeoutMs: readTimeoutMs, clock },
      signal,
    );
  }

  async #firstRead(signal: AbortSignal): Promise<void> {
    const { clock } = this.dependencies;
    const deadlineMs = clock.monotonic() + firstReadTimeoutMs;
    for (;;) {
      const read = await Promise.race([this.#read(signal), this.crashed()]);
      if (read.outcome === "values" && read.values.length > 0) return;
      const reason = read.outcome === "failed" ? read.message : "no items";
      if (clock.monotonic() > deadlineMs)
        throw new DemoError(`Leadline gives no number: ${reason}`);
      await clock.sleep(firstReadIntervalMs, signal);
    }
  }

  #say(text: string): void {
    this.dependencies.terminal.write(`leadline demo: ${text} ...\n`);
  }
}
