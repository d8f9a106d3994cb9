import { afterEach, expect, test } from "vitest";
import { startFakeRedis, resp } from "../../../fakes/fake-redis.ts";
import type { FakeRedisHandler } from "../../../fakes/fake-redis.ts";
import { closesItsHalf, startTcpPeer } from "../../../fakes/tcp-peer.ts";
import type { RedisServer, RedisServerOptions } from "../../../servers/redis-server.ts";
import { startRedisServer } from "../../../servers/redis-server.ts";
import type { BullmqSource } from "../../../../src/sources/bullmq/source.ts";
import type { TestConnection } from "./read-queue.ts";
import { openBullmqSource, readQueue, readQueues } from "./read-queue.ts";

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function start(options?: RedisServerOptions): Promise<RedisServer> {
  const server = await startRedisServer(options);
  cleanups.push(() => server.stop());
  return server;
}

async function startFake(handler: FakeRedisHandler) {
  const fake = await startFakeRedis(handler);
  cleanups.push(() => fake.stop());
  return fake;
}

function open(connection: TestConnection): BullmqSource {
  const source = openBullmqSource(connection);
  cleanups.push(() => source.close());
  return source;
}

/** A queue as BullMQ leaves it: two jobs, none active. */
async function fill(server: RedisServer, name: string, prefix = "bull"): Promise<void> {
  await server.command("HSET", `${prefix}:${name}:meta`, "version", "bullmq:6.7.0");
  await server.command("SET", `${prefix}:${name}:id`, "2");
  await server.command("LPUSH", `${prefix}:${name}:wait`, "1", "2");
}

const error = (code: string, finding: string, queue = "orders") => ({
  code,
  message: `connection "jobs": queue "${queue}": ${finding}`,
});

test.each(["wait", "paused", "active", "prioritized", "delayed", "waiting-children", "meta", "id"])(
  "wrong type at the key %s fails that queue alone, and names the key",
  async (key) => {
    const server = await start();
    await fill(server, "orders");
    await fill(server, "healthy");
    await server.command("DEL", `bull:orders:${key}`);
    await server.command("SADD", `bull:orders:${key}`, "x");
    const [orders, healthy] = await readQueues(open({ port: server.port }), ["orders", "healthy"]);
    const finding = `key bull:orders:${key}: a key holds another type than expected (WRONGTYPE)`;
    expect(orders).toEqual(error("FailedPrecondition", finding));
    expect(healthy).toMatchObject({ waiting: 2 });
  },
);

test("wrong type at the job that is next fails that queue, and says that it is a job", async () => {
  const server = await start();
  await fill(server, "orders");
  await server.command("SET", "bull:orders:1", "not a hash");
  expect(await readQueue(open({ port: server.port }), "orders")).toEqual(
    error(
      "FailedPrecondition",
      "key bull:orders:<job>: a key holds another type than expected (WRONGTYPE)",
    ),
  );
});

test.each<[string, Partial<TestConnection>]>([
  ["a wrong password", { password: () => "wrong-hunter2" }],
  ["an unknown user", { username: () => "nobody", password: () => "wrong-hunter2" }],
])("%s is Unauthenticated, and the password is not in the message", async (_what, credentials) => {
  const server = await start({ password: "right-hunter1" });
  expect(await readQueue(open({ port: server.port, ...credentials }), "orders")).toEqual(
    error("Unauthenticated", "the server rejects the user name or password (WRONGPASS)"),
  );
});

test("a missing password is Unauthenticated", async () => {
  const server = await start({ password: "right-hunter1" });
  expect(await readQueue(open({ port: server.port }), "orders")).toMatchObject({
    code: "Unauthenticated",
    message: expect.stringContaining("(NOAUTH)") as string,
  });
});

test("a password that cannot be read is Unauthenticated, and the server is not asked", async () => {
  const server = await start();
  const password = (): string => {
    throw new Error("file /secrets/password does not exist");
  };
  expect(await readQueue(open({ port: server.port, password }), "orders")).toEqual(
    error("Unauthenticated", "the user name or password cannot be read"),
  );
});

test("MOVED on a plain client says that the server is a node of a Cluster", async () => {
  const [one, two] = await Promise.all([start({ cluster: true }), start({ cluster: true })]);
  await Promise.all([addSlots(one, 0, 8_191), addSlots(two, 8_192, 16_383)]);
  await one.command("CLUSTER", "MEET", "127.0.0.1", String(two.port));
  await expect
    .poll(() => one.command("CLUSTER", "INFO"), { timeout: 10_000 })
    .toContain("cluster_state:ok");
  // `{a}` lies in slot 15495, on the second node; `{b}` in slot 3300, on the first.
  await fill(one, "orders", "{b}");
  const source = open({ port: one.port });
  expect(await readQueue(source, "orders", { prefix: "{b}" })).toMatchObject({ waiting: 2 });
  const finding =
    "the server is a node of a Redis Cluster, the connection is not configured as one";
  expect(await readQueue(source, "orders", { prefix: "{a}" })).toEqual(
    error("FailedPrecondition", `${finding} (MOVED)`),
  );
  expect(await readQueue(source, "orders")).toEqual(
    error(
      "FailedPrecondition",
      "the server is a Redis Cluster and the keys lie in different slots (CROSSSLOT)",
    ),
  );
});

async function addSlots(server: RedisServer, from: number, to: number): Promise<void> {
  const slots = Array.from({ length: to - from + 1 }, (_, index) => String(from + index));
  await server.command("CLUSTER", "ADDSLOTS", ...slots);
}

/** The answer for a queue without jobs to the command that asks for it. */
function emptyQueue(command: readonly string[]): string {
  const base = command.at(-1) ?? "";
  return resp.array([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, null, null, null, null, null, base]);
}

test("slow answers cost the deadline once, and the answers that come in time count", async () => {
  const fake = await startFake(async (command) => {
    const [name, , , key] = command;
    if (name !== "EVAL" && name !== "EVALSHA") return undefined;
    if (key?.includes(":slow:") === true) await new Promise((resolve) => setTimeout(resolve, 300));
    return emptyQueue(command);
  });
  const source = open({ port: fake.port });
  const [quick, slow] = await readQueues(source, ["quick", "slow"], { timeoutMs: 100 });
  expect(quick).toMatchObject({ waiting: 0 });
  expect(slow).toBe("timeout");
  // The late answer belongs to the read before: it is not taken for this one's.
  expect(await readQueue(source, "quick", { timeoutMs: 2_000 })).toMatchObject({ waiting: 0 });
  expect(fake.accepted()).toBe(1);
});

test("an answer that belongs to another queue is DataLoss", async () => {
  const fake = await startFake((command) =>
    command[0]?.startsWith("EVAL") === true ? emptyQueue(["bull:customers:"]) : undefined,
  );
  expect(await readQueue(open({ port: fake.port }), "orders")).toEqual(
    error("DataLoss", "the reply is about another queue: the answer is not one of this read"),
  );
});

test("a peer that has closed its half of the socket is Unavailable", async () => {
  const peer = await startTcpPeer(closesItsHalf);
  cleanups.push(() => peer.stop());
  expect(await readQueue(open({ port: peer.port }), "orders")).toEqual(
    error("Unavailable", "connection closed"),
  );
});

test("failover to a replica without the data is NotFound, and never an empty queue", async () => {
  const master = await start({ config: ["repl-diskless-sync-delay 0"] });
  await fill(master, "orders");
  const source = open({ port: master.port });
  expect(await readQueue(source, "orders")).toMatchObject({ waiting: 2, takeable: 2 });
  await master.kill();
  // Never saw its master: as a replica that was promoted before its first synchronization.
  const replica = await start({ port: master.port, replicaOf: 1 });
  await replica.command("REPLICAOF", "NO", "ONE");
  await expect
    .poll(() => readQueue(source, "orders"), { timeout: 5_000 })
    .toEqual(
      error("NotFound", "not found: neither key bull:orders:id nor bull:orders:meta exists"),
    );
});

test("a replica that lost its master is read on while it serves, and Unavailable when it does not", async () => {
  const master = await start({ config: ["repl-diskless-sync-delay 0"] });
  await fill(master, "orders");
  const replica = await start({ replicaOf: master.port });
  const source = open({ port: replica.port });
  await expect
    .poll(() => readQueue(source, "orders"), { timeout: 5_000 })
    .toMatchObject({ waiting: 2 });
  await master.kill();
  await replica.command("CONFIG", "SET", "replica-serve-stale-data", "no");
  await expect
    .poll(() => readQueue(source, "orders"), { timeout: 5_000 })
    .toEqual(error("Unavailable", "the server is a replica that lost its master (MASTERDOWN)"));
});

test("a server that is busy with a script is Unavailable", async () => {
  const server = await start({ config: ["lua-time-limit 20"] });
  await fill(server, "orders");
  const source = open({ port: server.port });
  expect(await readQueue(source, "orders")).toMatchObject({ waiting: 2 });
  const busy = server.command("EVAL", "while true do end", "0").catch((reason: unknown) => reason);
  await expect
    .poll(() => readQueue(source, "orders"), { timeout: 5_000 })
    .toEqual(error("Unavailable", "the server is busy with a script (BUSY)"));
  await server.command("SCRIPT", "KILL");
  await busy;
  expect(await readQueue(source, "orders")).toMatchObject({ waiting: 2 });
});

test("a server that takes no more clients is ResourceExhausted", async () => {
  const server = await start();
  await fill(server, "orders");
  const first = open({ port: server.port });
  expect(await readQueue(first, "orders")).toMatchObject({ waiting: 2 });
  await server.command("CONFIG", "SET", "maxclients", "1");
  expect(await readQueue(open({ port: server.port }), "orders")).toEqual(
    error("ResourceExhausted", "the server has reached a limit of its own (clients or memory)"),
  );
  expect(await readQueue(first, "orders")).toMatchObject({ waiting: 2 });
});

test("a database that the server does not have is InvalidArgument, not database 0", async () => {
  const server = await start({ config: ["databases 1"] });
  await fill(server, "orders");
  expect(await readQueue(open({ port: server.port, database: 3 }), "orders")).toEqual(
    error("InvalidArgument", "the server does not have the database that the URL names"),
  );
});

test("reads the database that the URL names", async () => {
  const server = await start();
  await server.command(
    "EVAL",
    "redis.call('SELECT', 3) redis.call('SET', 'bull:orders:id', 7)",
    "0",
  );
  const read = await readQueue(open({ port: server.port, database: 3 }), "orders");
  expect(read).toMatchObject({ arrivals: 7, waiting: 0 });
});

test.each([
  ["LOADING Redis is loading the dataset in memory", "Unavailable", "(LOADING)"],
  ["CLUSTERDOWN The cluster is down", "Unavailable", "(CLUSTERDOWN)"],
  ["ERR unknown command 'evalsha'", "FailedPrecondition", "does not know a command"],
  ["DENIED Redis is running in protected mode because", "PermissionDenied", "(DENIED)"],
])("the reply %s is %s", async (reply, code, finding) => {
  const fake = await startFake(([name]) =>
    name === "EVAL" || name === "EVALSHA" ? resp.error(reply) : undefined,
  );
  expect(await readQueue(open({ port: fake.port }), "orders")).toMatchObject({
    code,
    message: expect.stringContaining(finding) as string,
  });
});
