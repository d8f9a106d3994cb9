import { Queue } from "bullmq";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createEngine } from "../../../src/app/engine.ts";
import type { Engine } from "../../../src/app/engine.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { compileExpression } from "../../../src/signals/program.ts";
import { fixedRandom } from "../../fakes/fixed-random.ts";
import { memoryLog } from "../../fakes/memory-log.ts";
import { until } from "../../fakes/until.ts";
import type { RedisServer } from "../../servers/redis-server.ts";
import { startRedisServer } from "../../servers/redis-server.ts";

let engine: Engine;
const cleanups: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  engine = createEngine({
    clock: systemClock,
    random: fixedRandom(0),
    environment: {},
    logger: memoryLog(systemClock).logger,
    registry: new Registry(),
    build: { version: "0.0.0", platform: "linux/amd64" },
  });
  await engine.pollers.start(new AbortController().signal);
  cleanups.push(() => engine.pollers.stop());
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** A real server whose queue `orders` holds so many jobs. */
async function serverWithJobs(count: number): Promise<RedisServer> {
  const server = await startRedisServer();
  cleanups.push(() => server.stop());
  const queue = new Queue("orders", { connection: { host: "127.0.0.1", port: server.port } });
  await queue.addBulk(Array.from({ length: count }, () => ({ name: "order", data: {} })));
  await queue.close();
  return server;
}

/** Two signals on connection `moving`, one that holds and one that does not, and one on connection `staying`. */
function configText(moving: RedisServer, staying: RedisServer): string {
  const signal = (name: string, connection: string, rest = ""): string =>
    `- { metadata: { namespace: shop, name: ${name} }, spec: { inputs: [{ name: jobs, bullmq: { connectionRef: { name: ${connection} }, queue: orders } }], value: { expression: jobs.waiting }${rest} } }`;
  return [
    "connections:",
    `- { name: moving, redis: { url: "redis://127.0.0.1:${moving.port}" } }`,
    `- { name: staying, redis: { url: "redis://127.0.0.1:${staying.port}" } }`,
    "signals:",
    signal("strict", "moving"),
    signal("held", "moving", ", onUnavailable: { policy: Hold, holdSeconds: 300 }"),
    signal("bystander", "staying"),
  ].join("\n");
}

/** Makes ready for a configuration; what it returns puts it into force, in one turn. */
async function prepare(text: string): Promise<() => void> {
  const readFile = (path: string): string => expect.fail(`reads ${path}`);
  const loaded = loadConfig(text, { compileExpression, environment: {}, readFile });
  if (loaded.status !== "loaded") expect.fail(JSON.stringify(loaded));
  const preparation = await engine.subscriber.prepare(loaded.config);
  if (preparation.status !== "prepared") expect.fail(preparation.reason);
  return () => void preparation.commit();
}

function evaluation(name: string) {
  return engine.signals.served(`shop/${name}`)?.evaluation;
}

/** What a signal serves: its value, or the code of the reason why there is none. */
function answer(name: string): number | string | undefined {
  const outcome = evaluation(name)?.outcome;
  if (outcome === undefined) return undefined;
  return outcome.status === "unavailable" ? outcome.code : outcome.value;
}

describe("a connection that moves to another server", () => {
  it.each(["strict", "held"])("takes no number along: signal %s starts anew", async (name) => {
    const [before, after] = [await serverWithJobs(7), await serverWithJobs(2)];
    (await prepare(configText(before, before)))();
    await until(() => answer(name) === 7, "the first server's number is served");
    const commit = await prepare(configText(after, before));
    commit();
    expect(answer(name)).toBe("InputMissing");
    await until(() => answer(name) !== "InputMissing", "the second server was read");
    expect(answer(name)).toBe(2);
  });

  it("serves nothing of the old server while the new one cannot be reached, held or not", async () => {
    const before = await serverWithJobs(7);
    const after = await serverWithJobs(2);
    await after.kill();
    (await prepare(configText(before, before)))();
    await until(() => answer("held") === 7 && answer("strict") === 7, "both are served");
    (await prepare(configText(after, before)))();
    await until(() => answer("held") !== "InputMissing", "the new server was tried");
    expect([answer("held"), answer("strict")]).toEqual(["InputFailed", "InputFailed"]);
  });

  it("leaves the signals on other connections alone", async () => {
    const [before, after] = [await serverWithJobs(7), await serverWithJobs(2)];
    (await prepare(configText(before, before)))();
    await until(() => answer("bystander") === 7, "the bystander is served");
    const commit = await prepare(configText(after, before));
    const known = evaluation("bystander");
    commit();
    expect(evaluation("bystander")).toBe(known);
  });
});
