import { inspect } from "node:util";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { RedisConnectionOptions } from "../../../../src/connections/redis/options.ts";
import { RedisConnection } from "../../../../src/connections/redis/client.ts";
import { readScriptFromLua } from "../../../../src/connections/redis/script.ts";
import type { RedisReply } from "../../../../src/connections/redis/command.ts";
import type { Clock } from "../../../../src/runtime/clock.ts";
import { systemClock } from "../../../../src/runtime/clock.ts";
import type { FakeRedis, FakeRedisHandler } from "../../../fakes/fake-redis.ts";
import { resp, startFakeRedis } from "../../../fakes/fake-redis.ts";
import { fixedRandom } from "../../../fakes/fixed-random.ts";
import type { RedisServer, RedisServerOptions } from "../../../servers/redis-server.ts";
import { freePort, startRedisServer } from "../../../servers/redis-server.ts";

const script = readScriptFromLua("return {KEYS[1], ARGV[1]}");
const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function start(options?: RedisServerOptions): Promise<RedisServer> {
  const server = await startRedisServer(options);
  cleanups.push(() => server.stop());
  return server;
}

async function startFake(handler: FakeRedisHandler): Promise<FakeRedis> {
  const fake = await startFakeRedis(handler);
  cleanups.push(() => fake.stop());
  return fake;
}

function connect(
  port: number,
  options: Partial<RedisConnectionOptions> = {},
  clock: Clock = systemClock,
): RedisConnection {
  const connection = new RedisConnection(
    { name: "jobs", address: { host: "127.0.0.1", port, database: 0, isTls: false }, ...options },
    { clock, random: fixedRandom(0) },
  );
  cleanups.push(() => connection.close());
  return connection;
}

/** Runs the script for each key; what is not answered within the time stays undefined. */
async function run(
  connection: RedisConnection,
  keys: readonly string[],
  timeoutMs = 5_000,
): Promise<(RedisReply | undefined)[]> {
  const replies: (RedisReply | undefined)[] = keys.map(() => undefined);
  const deadline = systemClock.timeout(timeoutMs);
  const calls = keys.map((key) => ({ keys: [key], args: [key.length] }));
  await connection.runScript(
    { script, calls },
    (index, reply) => {
      expect(replies[index], "one reply a call").toBeUndefined();
      replies[index] = reply;
    },
    deadline.signal,
  );
  deadline.clear();
  return replies;
}

const answered = (key: string) => ({ status: "answered", value: [key, String(key.length)] });
const messageOf = (reply: RedisReply | undefined): string =>
  reply?.status === "failed" ? reply.error.message : (reply?.status ?? "none");

async function calls(server: RedisServer, command: string): Promise<number> {
  const stats = await server.command("INFO", "commandstats");
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`, "u").exec(String(stats))?.[1] ?? 0);
}

test("uses one socket, named leadline, for any number of calls", async () => {
  const server = await start();
  const connection = connect(server.port);
  const keys = Array.from({ length: 250 }, (_, index) => `key-${index}`);
  const both = await Promise.all([run(connection, keys), run(connection, keys)]);
  expect(both).toEqual([keys.map(answered), keys.map(answered)]);
  const clients = String(await server.command("CLIENT", "LIST"))
    .trim()
    .split("\n");
  expect(clients.filter((client) => client.includes("name=leadline"))).toHaveLength(1);
  // The other one asks.
  expect(clients).toHaveLength(2);
});

test("sends the script's text once, and EVALSHA for everything else", async () => {
  const server = await start();
  const connection = connect(server.port);
  const keys = Array.from({ length: 1_000 }, (_, index) => `key-${index}`);
  await run(connection, keys);
  await run(connection, keys);
  expect(await calls(server, "eval")).toBe(1);
  expect(await calls(server, "evalsha")).toBe(1_999);
});

test("sends the text again when the server has forgotten it", async () => {
  const server = await start();
  const connection = connect(server.port);
  await run(connection, ["a", "b"]);
  await server.command("SCRIPT", "FLUSH");
  expect(await run(connection, ["a", "b", "c"])).toEqual(["a", "b", "c"].map(answered));
  expect(await run(connection, ["a"])).toEqual([answered("a")]);
});

test("hands over the calls before the one that hangs", async () => {
  const fake = await startFake(([name, , , key]) => {
    if (name === "EVAL") return resp.array([key ?? "", "1"]);
    return key === "b" ? resp.array(["b", "1"]) : undefined;
  });
  const replies = await run(connect(fake.port), ["a", "b", "c", "d"], 100);
  expect(replies).toEqual([answered("a"), answered("b"), undefined, undefined]);
});

test("hands over nothing after the deadline, although the answer comes", async () => {
  let answerLate = (): void => undefined;
  const late = new Promise<void>((resolve) => (answerLate = resolve));
  const fake = await startFake(async ([name, , , key]) => {
    if (name?.startsWith("EVAL") !== true) return undefined;
    await late;
    return resp.array([key ?? "", "1"]);
  });
  const connection = connect(fake.port);
  const first = await run(connection, ["a"], 50);
  const second = run(connection, ["b"]);
  answerLate();
  expect(await second).toEqual([answered("b")]);
  expect(first).toEqual([undefined]);
  expect(fake.accepted()).toBe(1);
});

test("keeps at most 200 commands unanswered, however often it is asked", async () => {
  const fake = await startFake(() => undefined);
  const connection = connect(fake.port);
  const keys = Array.from({ length: 1_000 }, (_, index) => `key-${index}`);
  await Promise.all([run(connection, keys, 100), run(connection, keys, 100)]);
  await run(connection, keys, 50);
  const sent = fake.commands().filter((name) => name.startsWith("EVAL"));
  expect(sent).toHaveLength(200);
});

test("takes a socket for dead after three deadlines in a row, and dials another", async () => {
  let isHung = true;
  const fake = await startFake(([name, , , key]) =>
    name?.startsWith("EVAL") === true && !isHung ? resp.array([key ?? "", "1"]) : undefined,
  );
  const connection = connect(fake.port);
  for (let round = 0; round < 3; round += 1) {
    expect(fake.accepted()).toBeLessThanOrEqual(1);
    // Reads side by side are one silence, not two.
    await Promise.all([run(connection, ["a"], 50), run(connection, ["b"], 50)]);
  }
  isHung = false;
  expect(await run(connection, ["a"])).toEqual([answered("a")]);
  expect(fake.accepted()).toBe(2);
  await expect.poll(() => fake.open()).toBe(1);
});

test("keeps a slow socket: an answer between deadlines starts the count anew", async () => {
  let answersLeft = 0;
  const fake = await startFake(([name, , , key]) => {
    if (name?.startsWith("EVAL") !== true || answersLeft === 0) return undefined;
    answersLeft -= 1;
    return resp.array([key ?? "", "1"]);
  });
  const connection = connect(fake.port);
  for (let round = 0; round < 6; round += 1) {
    answersLeft = round % 2;
    await run(connection, ["a", "b"], 50);
  }
  expect(fake.accepted()).toBe(1);
});

test("explains a connection that cannot be had by its cause, for every call", async () => {
  const replies = await run(connect(await freePort()), ["a", "b"]);
  expect(replies.map(messageOf)).toEqual([
    "connection refused (ECONNREFUSED)",
    "connection refused (ECONNREFUSED)",
  ]);
});

test("fails at once between dials, with the last cause, and dials less and less often", async () => {
  const server = await start();
  let nowMs = 0;
  const clock: Clock = { ...systemClock, monotonic: () => nowMs };
  await server.kill();
  const connection = connect(server.port, {}, clock);
  expect(messageOf((await run(connection, ["a"]))[0])).toContain("ECONNREFUSED");
  await server.restart();
  // Half of the first backoff of 50 ms, as the random source is 0.
  nowMs = 24;
  expect(messageOf((await run(connection, ["a"]))[0])).toContain("ECONNREFUSED");
  nowMs = 26;
  expect(await run(connection, ["a"])).toEqual([answered("a")]);
});

test("waits at most half a second and at most one between dials", async () => {
  let nowMs = 0;
  const clock: Clock = { ...systemClock, monotonic: () => nowMs };
  const server = await start();
  await server.kill();
  const connection = connect(server.port, {}, clock);
  for (let failures = 0; failures < 20; failures += 1) {
    await run(connection, ["a"]);
    nowMs += 1_000;
  }
  await server.restart();
  expect(await run(connection, ["a"])).toEqual([answered("a")]);
});

test("a refused database is asked for again after the backoff, not by every read", async () => {
  let nowMs = 0;
  const clock: Clock = { ...systemClock, monotonic: () => nowMs };
  const denied = resp.error("NOPERM User hunter2 has no permissions to run the 'select' command");
  const fake = await startFake(([name]) => (name === "SELECT" ? denied : undefined));
  const address = { host: "127.0.0.1", port: fake.port, database: 3, isTls: false };
  const connection = connect(fake.port, { address }, clock);
  for (let round = 0; round < 5; round += 1) {
    expect((await run(connection, ["a"])).map(messageOf)).toEqual([
      "the Redis user has no right to choose the database that the URL names (NOPERM for SELECT)",
    ]);
  }
  expect(fake.accepted()).toBe(1);
  // More than the first backoff of 50 ms.
  nowMs = 51;
  await run(connection, ["a"]);
  expect(fake.accepted()).toBe(2);
  expect(fake.commands()).not.toContain("EVAL");
});

test("credentials that changed are tried at once, not after the backoff of the refused ones", async () => {
  const server = await start({ password: "second" });
  const clock: Clock = { ...systemClock, monotonic: () => 0 };
  let password = "first";
  const connection = connect(server.port, { password: () => password }, clock);
  const refused = "the server rejects the user name or password (WRONGPASS)";
  expect((await run(connection, ["a"])).map(messageOf)).toEqual([refused]);
  expect((await run(connection, ["a"])).map(messageOf)).toEqual([refused]);
  // The refused one alone: what is not sent twice is not refused twice.
  expect(await server.command("INFO", "errorstats")).toContain("errorstat_WRONGPASS:count=1\r\n");
  password = "second";
  expect(await run(connection, ["a"])).toEqual([answered("a")]);
});

test("a database is chosen only where the answer says so", async () => {
  const fake = await startFake(([name]) => (name === "SELECT" ? "+QUEUED\r\n" : undefined));
  const address = { host: "127.0.0.1", port: fake.port, database: 3, isTls: false };
  expect((await run(connect(fake.port, { address }), ["a"])).map(messageOf)).toEqual([
    "the server does not confirm the database that the URL names",
  ]);
  expect(fake.commands()).toEqual(["SELECT"]);
});

test.each([
  ["may not", "NOPERM User x has no permissions to run the 'client|setname' command"],
  ["cannot", "ERR unknown command 'CLIENT', with args beginning with: 'SETNAME'"],
])("a name that we %s set keeps no read away", async (_what, refusal) => {
  const fake = await startFake(([name, , , key]) =>
    name === "CLIENT" ? resp.error(refusal) : resp.array([key ?? "", "1"]),
  );
  expect(await run(connect(fake.port), ["a"])).toEqual([answered("a")]);
});

test("a server that is loading is not dialled through", async () => {
  const fake = await startFake(([name]) =>
    name === "CLIENT" ? resp.error("LOADING Redis is loading the dataset in memory") : undefined,
  );
  expect((await run(connect(fake.port), ["a"])).map(messageOf)).toEqual([
    "the server is still loading (LOADING)",
  ]);
});

describe("a password for a server that asks for none", () => {
  const printed = { warn: vi.spyOn(console, "warn"), error: vi.spyOn(console, "error") };

  afterEach(() => {
    printed.warn.mockClear();
    printed.error.mockClear();
  });

  test("changes nothing, and prints nothing", async () => {
    const server = await start();
    const connection = connect(server.port, { password: () => "early" });
    expect(await run(connection, ["a"])).toEqual([answered("a")]);
    expect(printed.warn).not.toHaveBeenCalled();
    expect(printed.error).not.toHaveBeenCalled();
  });

  test.each([
    ["Redis 5", "ERR Client sent AUTH, but no password is set"],
    ["Redis 6", "ERR AUTH <password> called without any password configured for the default user."],
  ])("in the words of %s", async (_what, refusal) => {
    const fake = await startFake(([name, , , key]) => {
      if (name === "AUTH") return resp.error(refusal);
      return name === "EVAL" ? resp.array([key ?? "", "1"]) : undefined;
    });
    const connection = connect(fake.port, { password: () => "early" });
    expect(await run(connection, ["a"])).toEqual([answered("a")]);
    expect(printed.warn).not.toHaveBeenCalled();
  });

  test("a user name for a server that knows none is said, not printed", async () => {
    const fake = await startFake(([name]) =>
      name === "AUTH" ? resp.error("ERR wrong number of arguments for 'auth' command") : undefined,
    );
    const connection = connect(fake.port, { username: () => "me", password: () => "hunter2" });
    expect((await run(connection, ["a"])).map(messageOf)).toEqual([
      "the server knows no user names (older than Redis 6)",
    ]);
    expect(printed.error).not.toHaveBeenCalled();
    expect(printed.warn).not.toHaveBeenCalled();
  });
});

test("the cause of a refused password holds neither name nor password", async () => {
  const server = await start({ password: "right" });
  const connection = connect(server.port, { username: () => "who9", password: () => "hunter2" });
  const [reply] = await run(connection, ["a"]);
  expect(inspect(reply, { depth: null })).not.toMatch(/who9|hunter2/u);
});

test("a dial that hangs ends at its own deadline, and the next one succeeds", async () => {
  let isHung = true;
  const fake = await startFake(async ([name, , , key]) => {
    if (name === "CLIENT" && isHung) await new Promise<never>(() => undefined);
    return name?.startsWith("EVAL") === true ? resp.array([key ?? "", "1"]) : undefined;
  });
  const connection = connect(fake.port, { dialTimeoutMs: 100 });
  expect((await run(connection, ["a"])).map(messageOf)).toEqual(["no answer within 100 ms"]);
  isHung = false;
  await expect.poll(() => run(connection, ["a"])).toEqual([answered("a")]);
});

test("dials again with a new password within a second of its change", async () => {
  const server = await start({ password: "first" });
  let password = "first";
  const connection = connect(server.port, { password: () => password });
  expect(await run(connection, ["a"])).toEqual([answered("a")]);
  await server.command("CONFIG", "SET", "requirepass", "second");
  // A socket stays authenticated whatever happens to the password: only its replacement shows that the new one is used.
  const idBefore = await leadlineClients(server, "second");
  password = "second";
  await expect
    .poll(
      async () => {
        await run(connection, ["a"]);
        return leadlineClients(server, "second");
      },
      { timeout: 3_000 },
    )
    .not.toEqual(idBefore);
  expect(await run(connection, ["a"])).toEqual([answered("a")]);
  expect(await leadlineClients(server, "second")).toHaveLength(1);
});

async function leadlineClients(server: RedisServer, password: string): Promise<readonly string[]> {
  const { respCommands } = await import("../../../servers/resp-client.ts");
  const [, clients] = await respCommands({ port: server.port }, [
    ["AUTH", password],
    ["CLIENT", "LIST"],
  ]);
  return String(clients)
    .split("\n")
    .filter((client) => client.includes("name=leadline"))
    .map((client) => /^id=(\d+)/u.exec(client)?.[1] ?? "");
}

test("keeps the open socket while the password cannot be read", async () => {
  const server = await start({ password: "first" });
  let isReadable = true;
  let nowMs = 0;
  const password = (): string => {
    if (isReadable) return "first";
    throw new Error("file /secrets/password does not exist");
  };
  const clock: Clock = { ...systemClock, monotonic: () => nowMs };
  const connection = connect(server.port, { password }, clock);
  await run(connection, ["a"]);
  isReadable = false;
  nowMs = 5_000;
  expect(await run(connection, ["a"])).toEqual([answered("a")]);
});

test("an answer that is not the protocol fails its calls, and the next read has a new socket", async () => {
  let isGarbled = true;
  const fake = await startFake(([name, , , key]) => {
    if (name?.startsWith("EVAL") !== true) return undefined;
    return isGarbled ? "HTTP/1.1 400 Bad Request\r\n\r\n" : resp.array([key ?? "", "1"]);
  });
  const connection = connect(fake.port);
  expect(messageOf((await run(connection, ["a"]))[0])).toContain("Unknown RESP type");
  isGarbled = false;
  expect(await run(connection, ["a"])).toEqual([answered("a")]);
  expect(fake.accepted()).toBe(2);
});

test("a socket that ends in the middle fails what is left, with the cause", async () => {
  const fake = await startFake(([name, , , key], socket) => {
    if (name === "EVALSHA" && key === "c") socket.end();
    return name?.startsWith("EVAL") === true ? resp.array([key ?? "", "1"]) : undefined;
  });
  const replies = await run(connect(fake.port), ["a", "b", "c", "d"]);
  expect(replies.slice(0, 2)).toEqual([answered("a"), answered("b")]);
  expect(replies.slice(2).map((reply) => reply?.status)).toEqual(["failed", "failed"]);
});

test("after close every read fails, and no socket is dialled", async () => {
  const fake = await startFake(() => undefined);
  const connection = connect(fake.port);
  await connection.close();
  expect((await run(connection, ["a"])).map(messageOf)).toEqual(["connection is closing"]);
  expect(fake.accepted()).toBe(0);
});

test("close lets go of a socket whose other end does not react", async () => {
  const server = await start();
  const connection = connect(server.port);
  await run(connection, ["a"]);
  const sockets = (): number =>
    process.getActiveResourcesInfo().filter((kind) => kind === "TCPSocketWrap").length;
  const before = sockets();
  server.pause();
  await connection.close();
  await expect.poll(sockets).toBe(before - 1);
});

test("close ends a dial that is under way", async () => {
  const fake = await startFake(async () => new Promise<never>(() => undefined));
  const connection = connect(fake.port);
  const reading = run(connection, ["a"]);
  await expect.poll(() => fake.open()).toBe(1);
  await connection.close();
  expect((await reading).map(messageOf)).toEqual(["connection is closing"]);
  await expect.poll(() => fake.open()).toBe(0);
});
