import type { Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { createRedisClient } from "../../../../src/connections/redis/create-client.ts";
import { RedisSession } from "../../../../src/connections/redis/session.ts";
import type { RedisReply } from "../../../../src/connections/redis/command.ts";
import { resp, startFakeRedis } from "../../../fakes/fake-redis.ts";

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

test("a session that is not open sends nothing, and says why", async () => {
  let peer: Socket | undefined;
  const fake = await startFakeRedis((_command, socket) => {
    peer = socket;
    return resp.ok;
  });
  cleanups.push(() => fake.stop());
  const address = { host: "127.0.0.1", port: fake.port, database: 0, isTls: false };
  const session = new RedisSession(createRedisClient({ name: "jobs", address }));
  cleanups.push(() => session.destroy());
  const credentials = { username: undefined, password: undefined };
  await session.open({ credentials, database: 0 });
  expect(session.isOpen).toBe(true);
  peer?.write("HTTP/1.1 400 Bad Request\r\n\r\n");
  await expect.poll(() => session.isOpen).toBe(false);
  const replies: RedisReply[] = [];
  const commands = [
    { name: "GET", args: ["a"] },
    { name: "GET", args: ["b"] },
  ];
  await session.send(
    commands,
    (index, reply) => (replies[index] = reply),
    AbortSignal.timeout(5_000),
  );
  const failed = {
    status: "failed",
    error: expect.objectContaining({
      message: expect.stringContaining("Unknown RESP type") as string,
    }) as Error,
  };
  expect(replies).toEqual([failed, failed]);
  expect(fake.commands()).toEqual(["CLIENT"]);
});
