import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { startBenchKubernetes, type BenchKubernetes } from "./kubernetes.ts";
import { cpuSeconds, residentMebibytes, startChild, type Child } from "./child.ts";
import type { LoadOptions, LoadResult } from "./load-generator.ts";
import { checkAnswers, readProducerLog, type TruthReport } from "./producer-log.ts";
import { formatSpread, percentileOf, spreadOf } from "./statistics.ts";
import { startRedisServer, type RedisServer } from "../servers/redis-server.ts";

const here = path.dirname(fileURLToPath(import.meta.url));
const executable = path.join(here, "../../bin/leadline.js");
const namespace = "bench";
const pollSeconds = 5;
const maxAgeMs = (3 * pollSeconds + 3) * 1000;

/** Sizes of a run; `--quick` makes everything smaller, for trying the bench itself. */
export interface ServeSizes {
  readonly signals: number;
  readonly rounds: number;
  readonly steadySeconds: number;
  readonly closedSeconds: number;
  readonly costSeconds: number;
}

/** The sizes that `docs/benchmarks.md` reports. */
export const fullSizes: ServeSizes = {
  signals: 1000,
  rounds: 5,
  steadySeconds: 15,
  closedSeconds: 5,
  costSeconds: 60,
};

/** For trying the bench itself. */
export const quickSizes: ServeSizes = {
  signals: 100,
  rounds: 2,
  steadySeconds: 4,
  closedSeconds: 2,
  costSeconds: 10,
};

const say = (text: string): void => void process.stderr.write(`bench serve: ${text}\n`);

interface Bench {
  readonly directory: string;
  readonly sizes: ServeSizes;
  readonly kubernetes: BenchKubernetes;
  readonly paths: readonly string[];
}

const queueName = (index: number): string => `q${String(index).padStart(4, "0")}`;
const pathOf = (queue: string): string =>
  `/apis/external.metrics.k8s.io/v1beta1/namespaces/${namespace}/${queue}`;
const queueOf = (requestPath: string): string =>
  requestPath.slice(requestPath.lastIndexOf("/") + 1);

function configuration(
  count: number,
  connections: readonly { name: string; port: number }[],
): string {
  const lines = ["connections:"];
  for (const { name, port } of connections) {
    lines.push(`- name: ${name}`, `  redis: { url: "redis://127.0.0.1:${port}/0" }`);
  }
  lines.push("signals:");
  for (const [position, { name }] of connections.entries()) {
    const size = position === 0 ? count : Math.ceil(count / 10);
    for (let index = 0; index < size; index += 1) {
      const metric = position === 0 ? queueName(index) : `${name}-${queueName(index)}`;
      lines.push(
        `- metadata: { namespace: ${namespace}, name: ${metric} }`,
        "  spec:",
        `    inputs: [{ name: jobs, bullmq: { connectionRef: { name: ${name} }, queue: ${queueName(index)} } }]`,
        '    value: { expression: "jobs.backlog" }',
      );
    }
  }
  return `${lines.join("\n")}\n`;
}

interface Server {
  readonly child: Child;
  readonly port: number;
  readonly opsPort: number;
}

const portOf = (address: unknown): number => Number(new URL(String(address)).port);

async function startLeadline(bench: Bench, config: string): Promise<Server> {
  const file = path.join(bench.directory, "leadline.yaml");
  writeFileSync(file, config);
  const files = bench.kubernetes.files;
  const child = startChild([
    ...[executable, "serve", "--config", file, "--kubeconfig", files.kubeconfig],
    ...["--bind-address", "127.0.0.1", "--secure-port", "0"],
    ...["--tls-cert-file", files.servingCert, "--tls-private-key-file", files.servingKey],
    ...["--ops-bind-address", "127.0.0.1", "--ops-port", "0", "--shutdown-delay-seconds", "0"],
  ]);
  const [serving, ops] = await Promise.all([
    child.waitFor((line) => line["msg"] === "Serving"),
    child.waitFor((line) => line["msg"] === "Serving operations"),
  ]);
  const opsPort = portOf(ops["address"]);
  await waitUntilReady(opsPort);
  return { child, port: portOf(serving["address"]), opsPort };
}

async function waitUntilReady(opsPort: number): Promise<void> {
  const until = Date.now() + 60_000;
  for (;;) {
    const response = await fetch(`http://127.0.0.1:${opsPort}/readyz`).catch(() => undefined);
    if (response?.status === 200) return;
    if (Date.now() > until) throw new Error(`not ready: ${await response?.text()}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function startBaseline(bench: Bench): Promise<Server> {
  const files = bench.kubernetes.files;
  const script = path.join(here, "baseline-server.ts");
  const child = startChild([script, files.frontProxyCa, files.servingCert, files.servingKey]);
  const line = await child.waitFor((seen) => seen["msg"] === "Serving");
  return { child, port: Number(line["port"]), opsPort: 0 };
}

type Load = Pick<LoadOptions, "connections" | "durationMs" | "keepsAnswers"> & {
  readonly readsPerSecond?: number;
};

async function load(bench: Bench, server: Server, what: Load): Promise<LoadResult> {
  const files = bench.kubernetes.files;
  const options: LoadOptions = {
    host: "127.0.0.1",
    port: server.port,
    serverName: "leadline.leadline.svc",
    caFile: files.servingCa,
    certFile: files.frontProxyCert,
    keyFile: files.frontProxyKey,
    paths: bench.paths,
    headers: bench.kubernetes.headers,
    ...what,
  };
  const file = path.join(bench.directory, "load.json");
  writeFileSync(file, JSON.stringify(options));
  const child = startChild([path.join(here, "load-generator.ts"), file]);
  const result = (await child.waitFor((line) => "reads" in line)) as unknown as LoadResult;
  await child.stop();
  return result;
}

interface Round {
  readonly steady: LoadResult;
  readonly closed1: LoadResult;
  readonly closed16: LoadResult;
}

async function round(bench: Bench, server: Server, keepsAnswers: boolean): Promise<Round> {
  const { steadySeconds, closedSeconds } = bench.sizes;
  const steady = await load(bench, server, {
    connections: 4,
    readsPerSecond: 67,
    durationMs: steadySeconds * 1000,
    keepsAnswers,
  });
  const closed = (connections: number): Promise<LoadResult> =>
    load(bench, server, { connections, durationMs: closedSeconds * 1000, keepsAnswers: false });
  return { steady, closed1: await closed(1), closed16: await closed(16) };
}

interface Cost {
  readonly milliCpu: number;
  readonly rssMebibytes: number;
  readonly evalshaPerQueueAndPoll: number;
  readonly otherCommands: string;
}

/** CPU, memory and Redis commands of a stretch at the steady load, Leadline's process alone. */
async function measureCost(bench: Bench, server: Server, redis: Redis): Promise<Cost> {
  const seconds = bench.sizes.costSeconds;
  await redis.config("RESETSTAT");
  const before = cpuSeconds(server.child.pid);
  const began = performance.now();
  await load(bench, server, {
    connections: 4,
    readsPerSecond: 67,
    durationMs: seconds * 1000,
    keepsAnswers: false,
  });
  const elapsedSeconds = (performance.now() - began) / 1000;
  const used = cpuSeconds(server.child.pid) - before;
  const calls = commandCalls(await redis.info("commandstats"));
  const polls = (bench.sizes.signals * elapsedSeconds) / pollSeconds;
  // The producer's own scripts are EVALSHA too: only the script that ours is known by is counted, through its one GET (of the key `id`) a queue.
  const ownReads = calls.get("get") ?? Number.NaN;
  return {
    milliCpu: (used / elapsedSeconds) * 1000,
    rssMebibytes: residentMebibytes(server.child.pid),
    evalshaPerQueueAndPoll: ownReads / polls,
    otherCommands: [...calls].map(([name, count]) => `${name} ${count}`).join(", "),
  };
}

function commandCalls(info: string): ReadonlyMap<string, number> {
  const calls = new Map<string, number>();
  for (const match of info.matchAll(/cmdstat_([^:]+):calls=(\d+)/gu)) {
    calls.set(match[1]!, Number(match[2]));
  }
  return calls;
}

interface Isolation {
  readonly healthy: { readonly load: LoadResult; readonly truth: TruthReport };
  readonly disturbed: { readonly load: LoadResult; readonly truth: TruthReport };
}

/** Reads of healthy queues while a second Redis hangs and a third is gone, beside the same reads without them. */
async function measureIsolation(
  bench: Bench,
  main: RedisServer,
  logFile: string,
): Promise<Isolation> {
  const hung = await startRedisServer();
  const gone = await startRedisServer();
  const config = configuration(bench.sizes.signals, [
    { name: "jobs", port: main.port },
    { name: "hung", port: hung.port },
    { name: "gone", port: gone.port },
  ]);
  const server = await startLeadline(bench, config);
  try {
    const what = {
      connections: 4,
      readsPerSecond: 67,
      durationMs: bench.sizes.costSeconds * 1000,
      keepsAnswers: true,
    };
    const healthyLoad = await load(bench, server, what);
    hung.pause();
    await gone.kill();
    const disturbedLoad = await load(bench, server, what);
    const log = readProducerLog(logFile);
    const check = (result: LoadResult): TruthReport =>
      checkAnswers(result.answers, log, queueOf, maxAgeMs);
    return {
      healthy: { load: healthyLoad, truth: check(healthyLoad) },
      disturbed: { load: disturbedLoad, truth: check(disturbedLoad) },
    };
  } finally {
    hung.resume();
    await server.child.stop();
    await Promise.all([hung.stop(), gone.stop()]);
  }
}

/** Runs the whole bench and returns its report as Markdown. */
export async function benchServe(sizes: ServeSizes): Promise<string> {
  const directory = mkdtempSync(path.join(tmpdir(), "leadline-bench-"));
  const redisServer = await startRedisServer();
  const kubernetes = await startBenchKubernetes(directory);
  const logFile = path.join(directory, "producer.jsonl");
  const paths = Array.from({ length: sizes.signals }, (_, index) => pathOf(queueName(index)));
  const bench: Bench = { directory, sizes, kubernetes, paths };
  const producer = startChild([
    ...[path.join(here, "queue-producer.ts"), String(redisServer.port), String(sizes.signals)],
    ...[String(pollSeconds * 900), logFile],
  ]);
  const redis = new Redis({ host: "127.0.0.1", port: redisServer.port });
  const children: Child[] = [producer];
  try {
    await producer.waitFor((line) => line["msg"] === "Filled");
    say(`${sizes.signals} queues filled; every count changes between two polls`);
    const config = configuration(sizes.signals, [{ name: "jobs", port: redisServer.port }]);
    const leadline = await startLeadline(bench, config);
    const baseline = await startBaseline(bench);
    children.push(leadline.child, baseline.child);
    const ours: Round[] = [];
    const floor: Round[] = [];
    for (let index = 0; index < sizes.rounds; index += 1) {
      say(`round ${index + 1} of ${sizes.rounds}`);
      floor.push(await round(bench, baseline, false));
      ours.push(await round(bench, leadline, true));
    }
    say("CPU, memory, Redis commands");
    const cost = await measureCost(bench, leadline, redis);
    await leadline.child.stop();
    say("a second Redis hangs, a third is gone");
    const isolation = await measureIsolation(bench, redisServer, logFile);
    const answers = ours.flatMap(({ steady }) => steady.answers);
    const truth = checkAnswers(answers, readProducerLog(logFile), queueOf, maxAgeMs);
    return report({ sizes, ours, floor, cost, isolation, truth });
  } finally {
    redis.disconnect();
    for (const child of children.reverse()) await child.stop();
    await kubernetes.stop();
    await redisServer.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Findings {
  readonly sizes: ServeSizes;
  readonly ours: readonly Round[];
  readonly floor: readonly Round[];
  readonly cost: Cost;
  readonly isolation: Isolation;
  readonly truth: TruthReport;
}

const verdict = (isMet: boolean): string => (isMet ? "met" : "**missed**");

function report({ sizes, ours, floor, cost, isolation, truth }: Findings): string {
  const spread = (rounds: readonly Round[], pick: (round: Round) => number) =>
    spreadOf(rounds.map(pick));
  const rate16 = spread(ours, (r) => r.closed16.readsPerSecond);
  const ratio16 = spreadOf(
    ours.map((r, index) => r.closed16.readsPerSecond / floor[index]!.closed16.readsPerSecond),
  );
  const ratioP99 = spreadOf(ours.map((r, index) => r.steady.p99Ms / floor[index]!.steady.p99Ms));
  const failed = ours.reduce(
    (sum, r) => sum + r.steady.failed + r.closed1.failed + r.closed16.failed,
    0,
  );
  const row = (name: string, pick: (round: Round) => number, digits: number): string =>
    `| ${name} | ${formatSpread(spread(floor, pick), digits)} | ${formatSpread(spread(ours, pick), digits)} |`;
  const age = (report_: TruthReport, share: number): string =>
    (percentileOf(report_.agesMs, share) / 1000).toFixed(1);
  const { healthy, disturbed } = isolation;
  return [
    `${sizes.signals} signals on ${sizes.signals} BullMQ queues, polled every ${pollSeconds} s; median of ${sizes.rounds} rounds (least–greatest).`,
    "",
    "| | bare `node:https` | Leadline |",
    "|---|---|---|",
    row("67 reads/s: p50, ms", (r) => r.steady.p50Ms, 2),
    row("67 reads/s: p99, ms", (r) => r.steady.p99Ms, 2),
    row("closed loop, 1 connection: reads/s", (r) => r.closed1.readsPerSecond, 0),
    row("closed loop, 1 connection: p99, ms", (r) => r.closed1.p99Ms, 2),
    row("closed loop, 16 connections: reads/s", (r) => r.closed16.readsPerSecond, 0),
    row("closed loop, 16 connections: p99, ms", (r) => r.closed16.p99Ms, 2),
    "",
    "| target | measured | |",
    "|---|---|---|",
    `| 16 connections: at least 0.35 of the baseline | ${formatSpread(ratio16, 2)} | ${verdict(ratio16.median >= 0.35)} |`,
    `| 16 connections: at least 4,000 reads/s | ${formatSpread(rate16, 0)} | ${verdict(rate16.median >= 4000)} |`,
    `| p99 at 67 reads/s: at most 3 × the baseline's | ${formatSpread(ratioP99, 2)} | ${verdict(ratioP99.median <= 3)} |`,
    `| CPU at the steady load: at most 100 mCPU | ${cost.milliCpu.toFixed(0)} | ${verdict(cost.milliCpu <= 100)} |`,
    `| RSS: at most 200 MiB | ${cost.rssMebibytes.toFixed(0)} | ${verdict(cost.rssMebibytes <= 200)} |`,
    `| script runs a queue a poll: at most 1 | ${cost.evalshaPerQueueAndPoll.toFixed(3)} | ${verdict(cost.evalshaPerQueueAndPoll <= 1.02)} |`,
    `| failed reads: 0 | ${failed} | ${verdict(failed === 0)} |`,
    `| answers that were not true within ${maxAgeMs / 1000} s: 0 of ${truth.checked} | ${truth.wrong.length} | ${verdict(truth.wrong.length === 0)} |`,
    "",
    `Age of what was served, against the producer's log: p50 ${age(truth, 0.5)} s, p99 ${age(truth, 0.99)} s.`,
    "",
    "| healthy queues, 67 reads/s | p50, ms | p99, ms | failed | age p50, s | age p99, s | wrong |",
    "|---|---|---|---|---|---|---|",
    `| all Redis well | ${healthy.load.p50Ms.toFixed(2)} | ${healthy.load.p99Ms.toFixed(2)} | ${healthy.load.failed} | ${age(healthy.truth, 0.5)} | ${age(healthy.truth, 0.99)} | ${healthy.truth.wrong.length} |`,
    `| a second hangs, a third is gone | ${disturbed.load.p50Ms.toFixed(2)} | ${disturbed.load.p99Ms.toFixed(2)} | ${disturbed.load.failed} | ${age(disturbed.truth, 0.5)} | ${age(disturbed.truth, 0.99)} | ${disturbed.truth.wrong.length} |`,
    "",
    `Redis commands during the ${sizes.costSeconds} s of the cost measurement (the producer's included): ${cost.otherCommands}.`,
    ...truth.wrong.slice(0, 10).map((line) => `- wrong: ${line}`),
    "",
  ].join("\n");
}

/** The machine in one line, for the head of the report. */
export function machineLine(): string {
  const model = /model name\s*:\s*(.+)/.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1];
  return `Node ${process.version}, ${model ?? "unknown CPU"}`;
}
