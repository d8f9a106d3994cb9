import { setTimeout as sleep } from "node:timers/promises";
import { Queue } from "bullmq";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { applyApiService, metricPath, untilAvailable } from "./api-service.ts";
import type { Condition } from "./api-service.ts";
import type { Cluster } from "./cluster.ts";
import { openCluster } from "./cluster.ts";
import { freePort } from "./control-plane/free-port.ts";
import { StopStack } from "./control-plane/stop-stack.ts";
import { waitFor } from "./control-plane/wait-for.ts";
import type { Replicas } from "./example.ts";
import { applyExample, example, exampleConfiguration, exampleReplicas } from "./example.ts";
import { Gate } from "./gate.ts";
import { holdSteady } from "./hold-steady.ts";
import { startLeadline } from "./leadline.ts";
import { RedisServer } from "./redis.ts";
import { WorkerPool } from "./worker-pool.ts";

const jobMs = 400;
const outageMs = 90_000;
const none: Replicas = { wanted: 0, existing: 0, ready: 0 };
/** What Leadline says about a Redis that is gone, as the HPA controller passes it on. */
const outageReason =
  /unable to fetch metrics from external metrics API: .*thumbnails.*jobs.*ECONNREFUSED/;

const stack = new StopStack();
let cluster: Cluster;
let redis: RedisServer;
let queue: Queue;
let workers: WorkerPool;
/** Jobs that were ever added. */
let added = 0;
/** Jobs marked `held` end no sooner than this does. */
let gate = new Gate();

beforeAll(async () => {
  cluster = stack.add(await openCluster(inject("controlPlane")));
  const securePort = await freePort();
  await applyApiService(cluster, securePort);
  redis = await RedisServer.start(cluster.directory);
  stack.defer(() => redis.stop());
  queue = new Queue(example.queue, {
    connection: { host: "127.0.0.1", port: redis.port, retryStrategy: () => 250 },
  });
  queue.on("error", () => undefined); // Redis goes away here on purpose
  stack.defer(() => queue.close());
  await queue.waitUntilReady();
  const configuration = await exampleConfiguration(redis.url);
  stack.add(await startLeadline(cluster, { name: "leadline", configuration, securePort }));
  await untilAvailable(cluster);
  workers = stack.add(
    new WorkerPool({
      cluster,
      namespace: example.namespace,
      labelSelector: example.podSelector,
      queue: example.queue,
      redisPort: redis.port,
      work: async (job) => {
        if (job.name === "held") await gate.pass();
        await sleep(jobMs);
      },
    }),
  );
}, 120_000);

afterAll(async () => {
  gate.open();
  await stack.stop();
});

async function addJobs(count: number, name: "held" | "quick"): Promise<void> {
  added += count;
  await queue.addBulk(Array.from({ length: count }, (_, index) => ({ name, data: { index } })));
}

async function untilReplicas(
  description: string,
  isMet: (replicas: Replicas) => boolean,
  timeoutMs: number,
): Promise<Replicas> {
  return waitFor(
    description,
    async () => {
      const seen = await exampleReplicas(cluster);
      return { met: isMet(seen), seen };
    },
    timeoutMs,
  );
}

async function untilDrained(timeoutMs: number): Promise<void> {
  await waitFor(
    `all ${added} jobs are completed`,
    async () => {
      const seen = await queue.getJobCounts();
      return { met: seen["completed"] === added, seen };
    },
    timeoutMs,
  );
}

/** Waits until the aggregated API serves this number for the example's metric. */
async function untilServed(value: string): Promise<void> {
  await waitFor(
    `the metric is ${value}`,
    async () => {
      const path = metricPath(example.namespace, example.metric);
      const list = await cluster.admin.get<{ items: { value: string }[] }>(path);
      return { met: list.items[0]?.value === value, seen: list };
    },
    20_000,
  );
}

interface HorizontalPodAutoscaler {
  readonly status: { readonly conditions?: readonly Condition[] };
}

async function hpaCondition(type: string): Promise<Condition | undefined> {
  const hpa = await cluster.admin.get<HorizontalPodAutoscaler>(
    `/apis/autoscaling/v2/namespaces/${example.namespace}/horizontalpodautoscalers/${example.horizontalPodAutoscaler}`,
  );
  return hpa.status.conditions?.find((condition) => condition.type === type);
}

/** The replicas go to zero, and when they do, no job is left. */
async function untilAsleep(timeoutMs: number): Promise<void> {
  await untilReplicas("no replica is wanted", ({ wanted }) => wanted === 0, timeoutMs);
  const counts = await queue.getJobCounts();
  expect(counts).toMatchObject({ completed: added, failed: 0, waiting: 0, active: 0, delayed: 0 });
  await untilReplicas("no replica is left", ({ existing }) => existing === 0, 15_000);
  await waitFor(
    "no worker is left",
    () => {
      const seen = { workers: workers.size, closing: workers.closing };
      return Promise.resolve({ met: seen.workers + seen.closing === 0, seen });
    },
    15_000,
  );
  expect(await hpaCondition("ScaledToZero")).toMatchObject({ status: "True" });
}

/** A burst of 200 jobs that has just been added: up, drained, down to nothing. */
async function burst(): Promise<void> {
  const startMs = performance.now();
  const seconds = (): string => ((performance.now() - startMs) / 1_000).toFixed(1);
  workers.resetPeak();
  await untilReplicas("at least 5 replicas are ready", ({ ready }) => ready >= 5, 45_000);
  const upAfter = seconds();
  await untilDrained(90_000);
  const drainedAfter = seconds();
  expect(workers.peak).toBeGreaterThanOrEqual(5);
  await untilAsleep(60_000);
  console.log(
    `  5 replicas after ${upAfter} s, drained after ${drainedAfter} s by up to ${workers.peak} workers, none after ${seconds()} s`,
  );
}

/** What `kubectl describe hpa` shows, once it shows what is looked for. */
async function untilDescribed(reason: RegExp, timeoutMs: number): Promise<string> {
  const args = ["describe", "hpa", example.horizontalPodAutoscaler, "-n", example.namespace];
  return waitFor(
    `kubectl describe hpa shows ${String(reason)}`,
    async () => {
      const seen = await cluster.kubectl.run(args);
      return {
        met: /ScalingActive +False +FailedGetExternalMetric/.test(seen) && reason.test(seen),
        seen,
      };
    },
    timeoutMs,
  );
}

/** Kills Redis, watches the replicas for the whole outage, and brings Redis back on the same port. */
async function outage(expected: Replicas): Promise<void> {
  await redis.kill();
  const [samples] = await Promise.all([
    holdSteady(() => exampleReplicas(cluster), { durationMs: outageMs, intervalMs: 500 }),
    untilDescribed(outageReason, outageMs),
  ]);
  expect(samples.length).toBeGreaterThan(outageMs / 1_000);
  expect(samples.filter((sample) => sample.wanted !== expected.wanted)).toEqual([]);
  expect(new Set(samples.map((sample) => JSON.stringify(sample)))).toEqual(
    new Set([JSON.stringify(expected)]),
  );
  // Still the reason at the end, not only somewhere in the middle.
  await untilDescribed(outageReason, 1);
  await redis.start();
}

describe("a real BullMQ queue and a real HPA", () => {
  test("200 jobs take a Deployment from 1 replica up and, when they are done, to 0", async () => {
    await addJobs(200, "quick");
    await untilServed("200");
    await applyExample(cluster, 5);
    expect(await exampleReplicas(cluster)).toMatchObject({ wanted: 1 });
    await burst();
  }, 240_000);

  test("200 new jobs wake it from 0, and it goes to 0 again", async () => {
    expect(await exampleReplicas(cluster)).toEqual(none);
    await addJobs(200, "quick");
    await burst();
  }, 240_000);

  test("replicas do not move while Redis is dead, and it goes on by itself afterwards", async () => {
    gate = new Gate();
    await addJobs(40, "held");
    // Ten jobs a replica; all are held, so that nothing but a wrong number could move the replicas.
    const four: Replicas = { wanted: 4, existing: 4, ready: 4 };
    await untilReplicas("4 replicas are ready", ({ ready }) => ready === 4, 60_000);
    await waitFor(
      "4 workers hold a job",
      async () => {
        const seen = { active: await queue.getActiveCount(), workers: workers.size };
        return { met: seen.active === 4 && seen.workers === 4, seen };
      },
      15_000,
    );
    await outage(four);
    gate.open();
    await untilDrained(90_000);
    await untilAsleep(60_000);
  }, 420_000);

  test("nothing wakes while Redis is dead at 0 replicas, and jobs wake it afterwards", async () => {
    expect(await exampleReplicas(cluster)).toEqual(none);
    await outage(none);
    await addJobs(200, "quick");
    await burst();
  }, 420_000);
});
