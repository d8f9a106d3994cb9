import { Queue } from "bullmq";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { applyApiService, metricPath, untilAvailable } from "./api-service.ts";
import { Balancer } from "./balancer.ts";
import type { Cluster } from "./cluster.ts";
import { openCluster } from "./cluster.ts";
import { freePort } from "./control-plane/free-port.ts";
import { StopStack } from "./control-plane/stop-stack.ts";
import { waitFor } from "./control-plane/wait-for.ts";
import type { Leadline } from "./leadline.ts";
import { isReady, startLeadline } from "./leadline.ts";
import { RedisServer } from "./redis.ts";
import type { Read } from "./steady-reads.ts";
import { SteadyReads } from "./steady-reads.ts";

const namespace = "reads";
const metric = "steady";
// Ten at once, so that several connections are in use: a replica that goes has to hand over all of them.
const burst = 10;
const intervalMs = 200;
const readsPerSecond = (burst * 1_000) / intervalMs;
const readsPerReplica = 200;
/** Longer than the balancer takes to notice. */
const shutdownDelaySeconds = 4;

const access = `
apiVersion: v1
kind: Namespace
metadata: { name: ${namespace} }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: reader, namespace: ${namespace} }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: reader, namespace: ${namespace} }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "leadline:external-metrics-reader" }
subjects: [{ kind: ServiceAccount, name: reader, namespace: ${namespace} }]
`;

type ReplicaName = "a" | "b";
/** How a replica ends: SIGTERM and all that Leadline does then, or SIGKILL. */
type Way = "drained" | "at once";

interface Kill {
  readonly name: ReplicaName;
  readonly killedMs: number;
  /** Exit code; null after SIGKILL. */
  readonly code: number | null;
}

const stack = new StopStack();
let cluster: Cluster;
let redis: RedisServer;

beforeAll(async () => {
  cluster = stack.add(await openCluster(inject("controlPlane")));
  redis = await RedisServer.start(cluster.directory);
  stack.defer(() => redis.stop());
  const queue = new Queue(metric, { connection: { host: "127.0.0.1", port: redis.port } });
  await queue.addBulk(Array.from({ length: 7 }, () => ({ name: "job", data: {} })));
  await queue.close();
  await cluster.kubectl.run(["apply", "-f", "-"], access);
});

afterAll(async () => {
  await stack.stop();
});

/** Both replicas serve the same number; the label tells which of them did. */
function configurationOf(replica: ReplicaName): string {
  return `
connections: [{ name: jobs, redis: { url: "${redis.url}" } }]
signals:
  - metadata: { namespace: ${namespace}, name: ${metric} }
    spec:
      metric: { name: ${metric}, labels: { replica: ${replica} } }
      inputs: [{ name: jobs, bullmq: { connectionRef: { name: jobs }, queue: ${metric} } }]
      value: { expression: "jobs.backlog" }
`;
}

/** Two replicas behind one Service. */
class ReplicaSet {
  readonly stack = new StopStack();
  readonly #running = new Map<ReplicaName, Leadline>();
  #ports: Record<ReplicaName, { securePort: number; opsPort: number }> | undefined;
  #balancer: Balancer | undefined;

  async start(): Promise<void> {
    const ports = {
      a: { securePort: await freePort(), opsPort: await freePort() },
      b: { securePort: await freePort(), opsPort: await freePort() },
    };
    this.#ports = ports;
    this.stack.defer(async () => Promise.all([...this.#running.values()].map((one) => one.stop())));
    const port = await freePort();
    await applyApiService(cluster, port);
    await Promise.all([this.#launch("a"), this.#launch("b")]);
    this.#balancer = this.stack.add(
      await Balancer.start({
        port,
        // A change of readiness reaches the nodes about this late in a real cluster.
        probeIntervalMs: 1_000,
        backends: (["a", "b"] as const).map((name) => ({
          name,
          port: ports[name].securePort,
          isReady: () => isReady(ports[name].opsPort),
        })),
      }),
    );
    await this.#untilBalanced("a");
    await this.#untilBalanced("b");
    await untilAvailable(cluster);
  }

  /** Ends a replica in the moment from which it takes longest to be noticed. Resolves when it is gone. */
  async end(name: ReplicaName, way: Way): Promise<Kill> {
    const leadline = this.#running.get(name);
    if (leadline === undefined) throw new Error(`replica ${name} does not run`);
    await this.#balancer?.untilProbed(name);
    const killedMs = performance.now();
    if (way === "at once") leadline.process.kill("SIGKILL");
    const { code } = await leadline.process.stop(30_000);
    this.#running.delete(name);
    return { name, killedMs, code };
  }

  /** Starts a terminated replica anew and waits until it gets new connections. */
  async replace(name: ReplicaName): Promise<void> {
    await this.#launch(name);
    await this.#untilBalanced(name);
  }

  connectionsOf(name: ReplicaName): number {
    return this.#balancer?.connectionsOf(name) ?? 0;
  }

  async #launch(name: ReplicaName): Promise<void> {
    const leadline = await startLeadline(cluster, {
      name: `replica-${name}`,
      configuration: configurationOf(name),
      shutdownDelaySeconds: shutdownDelaySeconds,
      ...this.#ports?.[name],
    });
    this.#running.set(name, leadline);
  }

  async #untilBalanced(name: ReplicaName): Promise<void> {
    await waitFor(
      `replica ${name} gets new connections`,
      () => Promise.resolve({ met: this.#balancer?.isReady(name) === true, seen: "not yet" }),
      15_000,
    );
  }
}

async function untilServed(reads: SteadyReads, name: ReplicaName, sinceMs = 0): Promise<void> {
  await waitFor(
    `replica ${name} has answered ${readsPerReplica} reads`,
    () => {
      const seen = reads.servedBy(name, sinceMs);
      return Promise.resolve({ met: seen >= readsPerReplica, seen });
    },
    60_000,
  );
}

async function readAsReader(): Promise<SteadyReads> {
  const client = cluster.clientOf({ token: await cluster.tokenOf(namespace, "reader") });
  return new SteadyReads({ client, path: metricPath(namespace, metric), burst, intervalMs });
}

const failuresOf = (reads: readonly Read[]): readonly string[] =>
  reads.flatMap(({ failure }) => (failure === undefined ? [] : [failure]));

const startedBetween = (reads: readonly Read[], fromMs: number, toMs: number): readonly Read[] =>
  reads.filter(({ startedMs }) => startedMs >= fromMs && startedMs < toMs);

interface Restart {
  readonly reads: readonly Read[];
  readonly durationMs: number;
  readonly served: Readonly<Record<ReplicaName, number>>;
  readonly kills: readonly Kill[];
}

/** Restarts both replicas, one after the other, while reads come in all the time. */
async function rollingRestart(way: Way): Promise<Restart> {
  const replicas = new ReplicaSet();
  try {
    await replicas.start();
    const traffic = await readAsReader();
    const kills: Kill[] = [];
    const startedMs = performance.now();
    try {
      await untilServed(traffic, "a");
      await untilServed(traffic, "b");
      for (const [name, other] of [
        ["a", "b"],
        ["b", "a"],
      ] as const) {
        const kill = await replicas.end(name, way);
        kills.push(kill);
        await replicas.replace(name);
        await untilServed(traffic, other, kill.killedMs);
      }
    } finally {
      await traffic.stop();
    }
    const restart = {
      reads: traffic.reads,
      durationMs: performance.now() - startedMs,
      served: { a: traffic.servedBy("a"), b: traffic.servedBy("b") },
      kills,
    };
    report(way, restart);
    return restart;
  } finally {
    await replicas.stack.stop();
  }
}

function report(way: Way, { reads, durationMs, served }: Restart): void {
  const failures = failuresOf(reads);
  console.log(
    `  replicas ended ${way}: ${reads.length} reads in ${Math.round(durationMs / 1_000)} s, ` +
      `a answered ${served.a}, b ${served.b}, ${failures.length} failed ${failures[0] ?? ""}`,
  );
}

test("no read fails while two replicas are restarted one after the other", async () => {
  const { reads, durationMs, served, kills } = await rollingRestart("drained");
  expect(failuresOf(reads)).toEqual([]);
  expect(kills.map(({ name, code }) => ({ name, code }))).toEqual([
    { name: "a", code: 0 },
    { name: "b", code: 0 },
  ]);
  expect(reads.length / (durationMs / 1_000)).toBeGreaterThan(readsPerSecond * 0.9);
  expect(served.a).toBeGreaterThanOrEqual(readsPerReplica);
  expect(served.b).toBeGreaterThanOrEqual(readsPerReplica);
  for (const { name, killedMs } of kills) {
    const before = startedBetween(reads, killedMs - 1_000, killedMs);
    const after = startedBetween(reads, killedMs, killedMs + 1_000);
    expect(before.length).toBeGreaterThan(readsPerSecond * 0.7);
    expect(after.length).toBeGreaterThan(readsPerSecond * 0.7);
    // The one that was told to stop was at work in that moment.
    expect(before.filter(({ replica }) => replica === name).length).toBeGreaterThan(0);
  }
}, 180_000);

test("reads fail when the drain is taken out, so the test above can tell", async () => {
  const { reads } = await rollingRestart("at once");
  expect(failuresOf(reads).length).toBeGreaterThan(0);
}, 180_000);
