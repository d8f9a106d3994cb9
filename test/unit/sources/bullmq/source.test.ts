import { FlowProducer, Queue, Worker } from "bullmq";
import { Queue as Queue5 } from "bullmq-5";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { RedisConnection } from "../../../../src/connections/redis/client.ts";
import type { Fields, Reading } from "../../../../src/model/reading.ts";
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

  test.each<[string, number]>([
    ["Infinity", 4],
    ["NaN", 4],
    ["2.5", 3],
    [" 2 ", 2],
    ["0x3", 3],
    ["1e1", 4],
  ])("takes the global concurrency '%s' as its workers do: %d of 4", async (value, most) => {
    const queue = openQueue(version);
    await queue.setGlobalConcurrency(Number(value));
    await server.command("HSET", `bull:${name}:meta`, "concurrency", value);
    await queue.addBulk(Array.from({ length: 4 }, () => ({ name: "job", data: {} })));
    expect(await counts()).toMatchObject({ waiting: 4, takeable: most, backlog: most });
    await hold(most, 6);
    expect(await counts()).toMatchObject({ active: most, takeable: 0, backlog: most });
  });

  test.each([Infinity, -Infinity, NaN, -1, 0])(
    "keeps every count under setGlobalConcurrency(%d)",
    async (concurrency) => {
      const queue = openQueue(version);
      await queue.setGlobalConcurrency(concurrency);
      await queue.add("job", {});
      expect(await counts()).toMatchObject({ waiting: 1, takeable: concurrency <= 0 ? 0 : 1 });
    },
  );

  test("a global concurrency that is no number is an error, as it is for its workers", async () => {
    const queue = openQueue(version);
    await queue.add("job", {});
    await server.command("HSET", `bull:${name}:meta`, "concurrency", "many");
    const outcome = await fetchOutcome();
    const failure = outcome.status === "failed" ? outcome.error : undefined;
    expect(failure?.code).toBe("FailedPrecondition");
    expect(failure?.message).toBe(
      `connection "jobs": queue "${name}": meta.concurrency is not a number`,
    );
  });

  test.each([
    ["a fraction", 0.25, true],
    ["the year 70,000", 2_100_000_000_000_000, true],
    ["the year 1969", -Date.now() - 1_000_000_000, false],
  ])("keeps every count behind a job whose timestamp has %s", async (_what, offMs, hasAge) => {
    const queue = openQueue(version);
    await queue.add("job", {}, { timestamp: Date.now() + offMs });
    await queue.addBulk(Array.from({ length: 7 }, () => ({ name: "job", data: {} })));
    const read = await fields();
    expect(read).toMatchObject({ ...empty, waiting: 8, takeable: 8, backlog: 8, arrivals: 8 });
    expect(Object.hasOwn(read, "headOfLineAgeSeconds")).toBe(hasAge);
  });

  test("takes a delayed job with a fraction of a millisecond for one, and none that no worker takes", async () => {
    const queue = openQueue(version);
    await queue.add("due", {}, { delay: 10_000.5, timestamp: Date.now() - 30_000.25 });
    const read = await fields();
    expect(read).toMatchObject({ ...empty, delayedDue: 1, takeable: 1, backlog: 1, arrivals: 1 });
    expect(read["headOfLineAgeSeconds"]).toBeGreaterThanOrEqual(19.5);
    // Workers look for scores of 0 and more.
    await queue.add("never", {}, { delay: 1, timestamp: -1_000_000 });
    expect(await counts()).toEqual({
      ...empty,
      ...{ delayedDue: 1, takeable: 1, backlog: 1, arrivals: 2 },
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

test("counts a job that its worker left behind when it died, and nobody works on", async () => {
  const queue = openQueue("6");
  await queue.add("job", {});
  const worker = new Worker(name, () => new Promise(() => undefined), {
    connection: connectionOptions(),
  });
  await new Promise((resolve) => worker.once("active", resolve));
  // Without waiting for the job: the lock is left to expire, as after a crash.
  await worker.close(true);
  await server.command("DEL", `bull:${name}:1:lock`);
  expect(await counts()).toEqual({ ...empty, active: 1, backlog: 1, arrivals: 1 });
});

test("sums both lists of a queue that BullMQ 5 paused and BullMQ 6 goes on to fill", async () => {
  const five = openQueue("5");
  await five.addBulk([
    { name: "job", data: {} },
    { name: "job", data: {} },
  ]);
  await five.pause();
  await openQueue("6").add("job", {});
  expect(await server.command("LLEN", `bull:${name}:paused`)).toBe(2);
  expect(await server.command("LLEN", `bull:${name}:wait`)).toBe(1);
  expect(await counts()).toEqual({ ...empty, waiting: 3, paused: 3, arrivals: 3 });
});

test.each([
  ["0", "BullMQ 2"],
  ["0:0", "BullMQ 4"],
  ["0:1767225600000", "BullMQ 3 and 4"],
])("does not take the marker %s of %s for a job, nor for the next one", async (marker) => {
  const base = `bull:${name}:`;
  await server.command("HSET", `${base}meta`, "opts.maxLenEvents", "10000");
  await server.command("SET", `${base}id`, "1");
  await server.command("RPUSH", `${base}wait`, marker);
  await server.command("ZADD", `${base}delayed`, String((Date.now() + 3_600_000) * 4_096), "1");
  expect(await fields()).toEqual({ ...empty, arrivals: 1 });
  await server.command("HSET", `${base}2`, "timestamp", String(Date.now() - 5_000));
  await server.command("LPUSH", `${base}wait`, "2");
  await server.command("SET", `${base}id`, "2");
  const read = await fields();
  expect(read).toMatchObject({ ...empty, waiting: 1, takeable: 1, backlog: 1, arrivals: 2 });
  expect(read["headOfLineAgeSeconds"]).toBeGreaterThanOrEqual(5);
});

test("does not count the parent of a flow before its children are done, nor twice", async () => {
  const flows = new FlowProducer({ connection: connectionOptions() });
  cleanups.push(() => flows.close());
  await flows.add({
    ...{ name: "parent", queueName: name },
    children: [{ name: "child", queueName: `${name}-children` }],
  });
  // A flow alone writes no version: the queue exists all the same.
  expect(await counts()).toEqual({ ...empty, arrivals: 1 });
  expect(await fields(`${name}-children`)).toMatchObject({ waiting: 1, arrivals: 1 });
});

test("counts a job with a custom id once, and each call of add as an arrival", async () => {
  const queue = openQueue("6");
  for (let call = 0; call < 3; call += 1) await queue.add("job", {}, { jobId: "same" });
  expect(await counts()).toMatchObject({ waiting: 1, arrivals: 3, completions: 2 });
});

test("reads while jobs are added and worked on, and never contradicts itself", async () => {
  const queue = openQueue("6");
  await queue.waitUntilReady();
  const worker = new Worker(name, () => Promise.resolve(), {
    connection: connectionOptions(),
    concurrency: 5,
  });
  cleanups.push(() => worker.close());
  const adding = (async () => {
    for (let batch = 0; batch < 20; batch += 1) {
      await queue.addBulk(Array.from({ length: 25 }, () => ({ name: "job", data: {} })));
    }
  })();
  let before: Fields = { arrivals: 0, completions: 0 };
  const isDone = (): boolean => before["completions"] === 500;
  while (!isDone()) {
    const read = await fields();
    expect(read["arrivals"]).toBeGreaterThanOrEqual(before["arrivals"]!);
    // A torn read would now and then see a job twice or not at all between its lists.
    expect(read["completions"]).toBeGreaterThanOrEqual(before["completions"]!);
    expect(read["active"]).toBeLessThanOrEqual(5);
    before = read;
  }
  await adding;
  expect(await fields()).toEqual({ ...empty, arrivals: 500, completions: 500 });
});

test("adds rates to a reading when its history is long enough", () => {
  const reading = (monotonicMs: number, arrivals: number, completions: number): Reading => ({
    timestampMs: monotonicMs,
    monotonicMs,
    fields: { arrivals, completions },
  });
  const history = [reading(0, 100, 90), reading(30_000, 130, 120)];
  expect(source.derive(reading(60_000, 220, 150), history).fields).toEqual({
    ...{ arrivals: 220, completions: 150 },
    ...{ arrivalRate: 2, serviceRate: 1 },
  });
  expect(source.derive(reading(60_000, 220, 150), []).fields).toEqual({
    ...{ arrivals: 220, completions: 150 },
  });
});

test("stamps a reading with an instant within its fetch, before the values were read", async () => {
  await openQueue("6").waitUntilReady();
  const before = { wall: systemClock.now(), monotonic: systemClock.monotonic() };
  const outcome = await fetchOutcome();
  if (outcome.status === "failed") throw outcome.error;
  expect(outcome.reading.timestampMs).toBeGreaterThanOrEqual(before.wall);
  expect(outcome.reading.monotonicMs).toBeGreaterThanOrEqual(before.monotonic);
  expect(outcome.reading.monotonicMs).toBeLessThanOrEqual(systemClock.monotonic());
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
