import type { Clock } from "../runtime/clock.ts";
import type { HpaDecision } from "../simulator/hpa.ts";
import { arrivalsBetween } from "./arrivals.ts";
import { paintAnsi, paintNothing } from "./chart.ts";
import type { SyncResult } from "./controller.ts";
import { syncPeriodMs } from "./controller.ts";
import { createDeferred } from "./deferred.ts";
import { renderFrame, renderPlainLine, smallestFrame } from "./frame.ts";
import type { ControllerStatus, DemoView } from "./frame.ts";
import type { LeadlineProcess } from "./leadline-process.ts";
import { untilAborted } from "./run-together.ts";
import { demoArrivals, demoHpa } from "./scenario.ts";
import type { Terminal } from "./screen.ts";
import { Screen } from "./screen.ts";
import { Timeline } from "./timeline.ts";
import type { Workload } from "./workload.ts";

/** What a run is made of. */
export interface DemoRunOptions {
  readonly clock: Clock;
  readonly terminal: Terminal;
  readonly timeScale: number;
  readonly workload: Workload;
  readonly leadline: LeadlineProcess;
  readonly curl: string;
}

/** What the metric asks for, what the workload gets, and upstream's reasons for the difference. */
function describe(decision: HpaDecision, replicas: number): string {
  const reasons = decision.conditions
    .filter(({ type }) => type === "AbleToScale" || type === "ScalingLimited")
    .map(({ reason }) => reason);
  return `asks ${decision.recommendedReplicas ?? "nothing"}, gets ${replicas}: ${reasons.join(", ")}`;
}

/** What happened in a run. */
export interface DemoResult {
  readonly elapsedMs: number;
  readonly produced: number;
  readonly done: number;
  readonly longestWaitMs: number;
  readonly readsOk: number;
  readonly readsFailed: number;
  /** Every size in turn, the first one included. */
  readonly replicaPath: readonly number[];
  /** How often the API server was stopped. */
  readonly apiStops: number;
  /** Sizes seen while reads failed that differ from the one at the last good read; empty when replicas froze as they should. */
  readonly movedWhileFrozen: readonly number[];
}

const keptColumns = 512;
const drawIntervalMs = 200;
const produceIntervalMs = 100;
const leastPlainIntervalMs = 1000;

/** One run of the demo: the clocked parts and what they saw. */
export class DemoRun {
  readonly #options: DemoRunOptions;
  readonly #startedMs: number;
  readonly #timeline: Timeline;
  #controller: ControllerStatus = { status: "Waiting" };
  #signal: number | undefined;
  #queueDepth = 0;
  #readsOk = 0;
  #readsFailed = 0;
  #replicaPath: readonly number[];
  #replicasAtLastRead: number;
  #movedWhileFrozen: readonly number[] = [];
  #apiStops = 0;
  #switching: Promise<void> = Promise.resolve();

  constructor(options: DemoRunOptions) {
    this.#options = options;
    this.#startedMs = options.clock.monotonic();
    this.#timeline = new Timeline(syncPeriodMs / options.timeScale, keptColumns);
    this.#replicaPath = [options.workload.specReplicas];
    this.#replicasAtLastRead = options.workload.specReplicas;
  }

  /** What has happened so far. */
  get result(): DemoResult {
    const { produced, done, longestWaitMs } = this.#options.workload;
    return {
      ...{ elapsedMs: this.#elapsedMs(), produced, done, longestWaitMs },
      ...{ readsOk: this.#readsOk, readsFailed: this.#readsFailed, apiStops: this.#apiStops },
      ...{ replicaPath: this.#replicaPath, movedWhileFrozen: this.#movedWhileFrozen },
    };
  }

  /** Takes note of what the controller did; called after each sync. */
  noteSync({ read, signal, decision }: SyncResult): void {
    const { specReplicas } = this.#options.workload;
    this.#signal = signal;
    if (read.outcome === "values" && signal !== undefined) {
      this.#readsOk += 1;
      this.#replicasAtLastRead = specReplicas;
      this.#controller = { status: "Following", text: describe(decision, specReplicas) };
    } else {
      this.#readsFailed += 1;
      if (specReplicas !== this.#replicasAtLastRead)
        this.#movedWhileFrozen = [...this.#movedWhileFrozen, specReplicas];
      const reason = read.outcome === "failed" ? read.message : "the answer holds no value";
      this.#controller = { status: "Frozen", reason };
      this.#sample({ hasFailedRead: true });
    }
    if (this.#replicaPath.at(-1) !== specReplicas)
      this.#replicaPath = [...this.#replicaPath, specReplicas];
  }

  /** Adds jobs as the plan says, in cluster time. */
  async produce(signal: AbortSignal): Promise<never> {
    const { clock, workload, timeScale } = this.#options;
    for (let fromMs = 0; ;) {
      const toMs = this.#elapsedMs() * timeScale;
      const { jobs, bursts } = arrivalsBetween(demoArrivals, fromMs, toMs);
      await workload.produce(jobs);
      if (bursts > 0) this.#sample({ hasBurst: true });
      fromMs = toMs;
      await clock.sleep(produceIntervalMs, signal);
    }
  }

  /** Shows what is going on, until the signal aborts. */
  async show(signal: AbortSignal): Promise<void> {
    const { terminal } = this.#options;
    const size = terminal.size();
    const fits = size.columns >= smallestFrame.columns && size.rows >= smallestFrame.rows;
    if (terminal.isInteractive && fits) await this.#showFrames(signal);
    else await this.#showLines(signal);
  }

  /** Stops the API server `afterMs` from the start and starts it again after `forMs`; goes on until the signal aborts. */
  async breakApi(afterMs: number, forMs: number, signal: AbortSignal): Promise<never> {
    const { clock } = this.#options;
    await clock.sleep(afterMs, signal);
    await this.switchApi(signal);
    await clock.sleep(forMs, signal);
    await this.switchApi(signal);
    return untilAborted(signal);
  }

  /** Listens to the keyboard until `q` is pressed or the signal aborts. */
  async listen(signal: AbortSignal): Promise<void> {
    const { terminal } = this.#options;
    if (terminal.onKey === undefined) return untilAborted(signal);
    const { promise, resolve, reject } = createDeferred<undefined>();
    const forget = terminal.onKey((key) => {
      // In raw mode the terminal sends Ctrl-C as a character.
      if (key === "q" || key === "\u0003") resolve(undefined);
      if (key === "b") this.switchApi(signal).catch(reject);
      if (key === "+") this.#burst().catch(reject);
    });
    try {
      await Promise.race([promise, untilAborted(signal)]);
    } finally {
      forget();
    }
  }

  /** Stops the API server if it runs, else starts it. One switch waits for the one before. */
  switchApi(signal: AbortSignal): Promise<void> {
    const { leadline } = this.#options;
    const turn = this.#switching.then(async () => {
      if (!leadline.isStarted) return leadline.start(signal);
      this.#apiStops += 1;
      return leadline.stop();
    });
    this.#switching = turn.catch(() => undefined);
    return turn;
  }

  async #burst(): Promise<void> {
    await this.#options.workload.produce(demoArrivals.burstJobs[0] ?? 0);
    this.#sample({ hasBurst: true });
  }

  #elapsedMs(): number {
    return this.#options.clock.monotonic() - this.#startedMs;
  }

  #sample(happened: { readonly hasBurst?: true; readonly hasFailedRead?: true } = {}): void {
    const sample = {
      queueDepth: this.#queueDepth,
      signal: this.#signal,
      replicas: this.#options.workload.specReplicas,
    };
    this.#timeline.record(this.#elapsedMs(), sample, happened);
  }

  #view(): DemoView {
    const { timeScale, leadline, terminal, curl } = this.#options;
    const keys = terminal.onKey === undefined ? undefined : "b API off/on, + burst, q quit";
    return {
      ...this.result,
      ...{ timeScale, curl, keys, controller: this.#controller },
      columns: this.#timeline.columns,
      firstColumn: this.#timeline.firstIndex,
      secondsPerColumn: syncPeriodMs / timeScale / 1000,
      isApiStopped: !leadline.isStarted,
      maxReplicas: demoHpa.maxReplicas,
    };
  }

  async #showFrames(signal: AbortSignal): Promise<never> {
    const { clock, terminal, workload } = this.#options;
    const screen = new Screen(terminal);
    const paint = terminal.hasColours ? paintAnsi : paintNothing;
    screen.open();
    try {
      for (;;) {
        this.#queueDepth = await workload.depth();
        this.#sample();
        screen.draw(renderFrame(this.#view(), terminal.size(), paint));
        await clock.sleep(drawIntervalMs, signal);
      }
    } finally {
      screen.close();
    }
  }

  async #showLines(signal: AbortSignal): Promise<never> {
    const { clock, terminal, workload, timeScale, curl } = this.#options;
    terminal.write(`\nAsk for the number yourself:\n${curl}\n\n`);
    const intervalMs = Math.max(leastPlainIntervalMs, syncPeriodMs / timeScale);
    for (;;) {
      this.#queueDepth = await workload.depth();
      this.#sample();
      terminal.write(`${renderPlainLine(this.#view())}\n`);
      await clock.sleep(intervalMs, signal);
    }
  }
}
