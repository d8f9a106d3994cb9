import { Queue, Worker } from "bullmq";
import { Queue as Queue5 } from "bullmq-5";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { RedisConnection } from "../../../../src/connections/redis/client.ts";
import type { Fields } from "../../../../src/model/reading.ts";
import { systemClock } from "../../../../src/runtime/clock.ts";
import { bullmqQuery } from "../../../../src/sources/bullmq/query.ts";
import { BullmqSource } from "../../../../src/sources/bullmq/source.ts";
import type { FetchOutcome } from "../../../../src/sources/source.ts";
import { fixedRandom } from "../../../fakes/fixed-random.ts";
import type { RedisServer } from "../../../servers/redis-server.ts";
import { startRedisServer } from "../../../servers/redis-server.ts";

let server: RedisServer;
let source: BullmqSource;
let name: string;
let queues = 0;
const cleanups: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  server = await startRedisServer();
  const connection = new RedisConnection(
    { name: "jobs", address: { host: "127.0.0.1", port: server.port, database: 0, isTls: false } },
    { clock: systemClock, random: fixedRandom(0) },
  );
  source = new BullmqSource({ connection, clock: systemClock });
});

afterAll(async () => {
  await source.close();
  await server.stop();
});

beforeEach(() => {
  queues += 1;
  name = `queue-${queues}`;
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** BullMQ's own connection to our server. */
function connectionOptions() {
  return { host: "127.0.0.1", port: server.port, maxRetriesPerRequest: null };
}

/** A queue of BullMQ 6 or 5; both have these methods with the same meaning. */
function openQueue(version: "5" | "6", queueName = name): Queue {
  const queue =
    version === "6"
      ? new Queue(queueName, { connection: connectionOptions() })
      : (new Queue5(queueName, { connection: connectionOptions() }) as unknown as Queue);
  cleanups.push(() => queue.close());
  return queue;
}

interface HeldJobs {
  /** Lets every job that is being worked on end. */
  release(): void;
}

/** A real worker whose jobs stay active until they are released. */
async function hold(jobs: number, concurrency = jobs): Promise<HeldJobs> {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const worker = new Worker(name, () => released, { connection: connectionOptions(), concurrency });
  let active = 0;
  const started = new Promise<void>((resolve) => {
    worker.on("active", () => {
      active += 1;
      if (active === jobs) resolve();
    });
  });
  cleanups.push(async () => {
    release();
    await worker.close();
  });
  await started;
  return { release };
}

async function fetchOutcome(queueName = name, prefix = "bull"): Promise<FetchOutcome> {
  const outcomes: FetchOutcome[] = [];
  const query = bullmqQuery({ queue: queueName, prefix });
  const signal = AbortSignal.timeout(5_000);
  await source.fetch([query], (_query, outcome) => outcomes.push(outcome), signal);
  expect(outcomes).toHaveLength(1);
  return outcomes[0]!;
}

async function fields(queueName = name): Promise<Fields> {
  const outcome = await fetchOutcome(queueName);
  if (outcome.status === "failed") throw outcome.error;
  return outcome.reading.fields;
}

/** The fields without the one that depends on the time of day. */
async function counts(): Promise<Fields> {
  const entries = Object.entries(await fields());
  return Object.fromEntries(entries.filter(([field]) => field !== "headOfLineAgeSeconds"));
}

const empty = {
  waiting: 0,
  prioritized: 0,
  delayedDue: 0,
  active: 0,
  takeable: 0,
  backlog: 0,
  paused: 0,
  arrivals: 0,
  completions: 0,
};

describe.each(["5", "6"] as const)("with queues of BullMQ %s", (version) => {
  test("a queue that never held a job is empty, and has no head", async () => {
    const queue = openQueue(version);
    await queue.waitUntilReady();
    expect(await fields()).toEqual(empty);
  });

  test("counts waiting jobs and tells how long the next one has waited", async () => {
    const queue = openQueue(version);
    const oldMs = Date.now() - 90_000;
    await queue.add("job", {}, { timestamp: oldMs });
    await queue.addBulk([
      { name: "job", data: {} },
      { name: "job", data: {} },
    ]);
    const read = await fields();
    expect(read).toMatchObject({ ...empty, waiting: 3, takeable: 3, backlog: 3, arrivals: 3 });
    expect(read["headOfLineAgeSeconds"]).toBeGreaterThanOrEqual(90);
    expect(read["headOfLineAgeSeconds"]).toBeLessThan(100);
  });

  test("counts prioritized jobs beside waiting ones", async () => {
    const queue = openQueue(version);
    await queue.add("job", {}, { priority: 5, timestamp: Date.now() - 60_000 });
    expect((await fields())["headOfLineAgeSeconds"]).toBeGreaterThanOrEqual(60);
    await queue.add("job", {});
    expect(await counts()).toEqual({
      ...empty,
      ...{ waiting: 1, prioritized: 1, takeable: 2, backlog: 2, arrivals: 2 },
    });
  });

  test("counts a delayed job when it is due, and not before", async () => {
    const queue = openQueue(version);
    await queue.add("later", {}, { delay: 3_600_000 });
    expect(await fields()).toEqual({ ...empty, arrivals: 1 });
    // A producer on a clock 30 s behind gives a job that is due for 20 s already.
    await queue.add("due", {}, { delay: 10_000, timestamp: Date.now() - 30_000 });
    const read = await fields();
    expect(read).toMatchObject({ ...empty, delayedDue: 1, takeable: 1, backlog: 1, arrivals: 2 });
    expect(read["headOfLineAgeSeconds"]).toBeGreaterThanOrEqual(20);
    expect(read["headOfLineAgeSeconds"]).toBeLessThan(30);
  });

  test("holds everything back while the queue is paused, in either form of pause", async () => {
    const queue = openQueue(version);
    await queue.addBulk([
      { name: "job", data: {} },
      { name: "job", data: {} },
    ]);
    await queue.add("job", {}, { priority: 1 });
    await queue.pause();
    await queue.add("job", {});
    expect(await server.command("LLEN", `bull:${name}:paused`)).toBe(version === "5" ? 3 : 0);
    expect(await counts()).toEqual({
      ...empty,
      ...{ waiting: 3, prioritized: 1, paused: 4, arrivals: 4 },
    });
    await queue.resume();
    expect(await counts()).toEqual({
      ...empty,
      ...{ waiting: 3, prioritized: 1, takeable: 4, backlog: 4, arrivals: 4 },
    });
  });

  test("caps what is takeable at the free part of the global concurrency", async () => {
    const queue = openQueue(version);
    await queue.setGlobalConcurrency(2);
    await queue.addBulk(Array.from({ length: 5 }, () => ({ name: "job", data: {} })));
    expect(await counts()).toMatchObject({ waiting: 5, takeable: 2, backlog: 2 });
    await hold(2, 4);
    expect(await counts()).toEqual({
      ...empty,
      ...{ waiting: 3, active: 2, takeable: 0, backlog: 2, arrivals: 5 },
    });
  });

  test("counts active jobs, and counts those that ended as completions", async () => {
    const queue = openQueue(version);
    await queue.addBulk(Array.from({ length: 5 }, () => ({ name: "job", data: {} })));
    const held = await hold(2);
    expect(await counts()).toEqual({
      ...empty,
      ...{ waiting: 3, active: 2, takeable: 3, backlog: 5, arrivals: 5 },
    });
    held.release();
    await expect.poll(counts).toEqual({ ...empty, arrivals: 5, completions: 5 });
  });
});

test("an unknown queue is an error, and reading it does not make it", async () => {
  const outcome = await fetchOutcome("typo");
  expect(outcome).toMatchObject({
    status: "failed",
    error: {
      code: "NotFound",
      message:
        'connection "jobs": queue "typo": not found: neither key bull:typo:id nor bull:typo:meta exists',
    },
  });
  expect(await server.command("KEYS", "bull:typo:*")).toEqual([]);
});
