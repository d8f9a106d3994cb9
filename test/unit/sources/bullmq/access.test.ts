import { readFileSync } from "node:fs";
import { Queue } from "bullmq";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import type { BullmqSource } from "../../../../src/sources/bullmq/source.ts";
import { createAuthority } from "../../../../src/certificates/authority.ts";
import type { RedisServer, RedisServerOptions } from "../../../servers/redis-server.ts";
import { startRedisServer } from "../../../servers/redis-server.ts";
import type { TlsFiles } from "../../../servers/tls-files.ts";
import { createTlsFiles } from "../../../servers/tls-files.ts";
import type { TestConnection } from "./read-queue.ts";
import { openBullmqSource, readQueue } from "./read-queue.ts";

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function start(options: RedisServerOptions): Promise<RedisServer> {
  const server = await startRedisServer(options);
  cleanups.push(() => server.stop());
  return server;
}

function open(connection: TestConnection): BullmqSource {
  const source = openBullmqSource(connection);
  cleanups.push(() => source.close());
  return source;
}

const error = (code: string, finding: string) => ({
  code,
  message: `connection "jobs": queue "orders": ${finding}`,
});

describe("with the least rights", () => {
  const page = readFileSync(new URL("../../../../docs/sources/bullmq.md", import.meta.url), "utf8");
  /** The rule as the documentation gives it: `ACL SETUSER leadline …`. */
  const rule = /^ACL SETUSER (leadline .+)$/mu.exec(page)?.[1]?.replace("PASSWORD", "hunter3");
  const credentials = { username: () => "leadline", password: () => "hunter3" };

  /** A server whose only privileged user is `default`, with one queue in every state. */
  async function startWithUser(user: string): Promise<RedisServer> {
    const server = await start({ users: [user], password: "admin" });
    const connection = { host: "127.0.0.1", port: server.port, password: "admin" };
    const queue = new Queue("orders", { connection });
    await queue.addBulk([
      { name: "job", data: {} },
      { name: "job", data: {}, opts: { priority: 1 } },
    ]);
    await queue.add("later", {}, { delay: 3_600_000 });
    await queue.close();
    return server;
  }

  test("the rule of docs/sources/bullmq.md is enough to read everything", async () => {
    expect(rule).toBeDefined();
    const server = await startWithUser(rule!);
    expect(await readQueue(open({ port: server.port, ...credentials }), "orders")).toMatchObject({
      waiting: 1,
      prioritized: 1,
      takeable: 2,
      arrivals: 3,
      headOfLineAgeSeconds: expect.any(Number) as number,
    });
    expect(await server.command("ACL", "LOG")).toEqual([]);
  });

  test("and does not let in what it does not name: a key of another prefix, a write", async () => {
    const server = await startWithUser(rule!);
    const source = open({ port: server.port, ...credentials });
    expect(await readQueue(source, "orders", { prefix: "other" })).toEqual(
      error("PermissionDenied", "the Redis user has no right to these keys (NOPERM)"),
    );
    expect(rule).toContain("-@all");
  });

  test.each([...(rule ?? "").matchAll(/\+([a-z]+)(?= |$)/gu)].map((match) => match[1] ?? ""))(
    "without the right to %s a read is denied: the rule has nothing to spare",
    async (command) => {
      const server = await startWithUser(
        rule!.replace(new RegExp(` \\+${command}(?= |$)`, "u"), ""),
      );
      const source = open({ port: server.port, ...credentials });
      const results = [await readQueue(source, "orders"), await readQueue(source, "orders")];
      await server.command("DEL", "bull:orders:wait");
      results.push(await readQueue(source, "orders"));
      await server.command("DEL", "bull:orders:prioritized", "bull:orders:id");
      await server.command("ZADD", "bull:orders:delayed", "1", "9");
      results.push(await readQueue(source, "orders"));
      expect(results).toContainEqual(
        expect.objectContaining({
          code: "PermissionDenied",
          message: expect.stringContaining("(NOPERM)") as string,
        }),
      );
    },
  );

  describe("and a database other than 0", () => {
    const denied = error(
      "PermissionDenied",
      "the Redis user has no right to choose the database that the URL names (NOPERM for SELECT)",
    );

    /** Two jobs in database 0, and one ever added in database 3. */
    async function startWithTwoDatabases(user: string): Promise<RedisServer> {
      const server = await startWithUser(user);
      const set = "redis.call('SELECT', 3) redis.call('SET', 'bull:orders:id', 1)";
      await server.command("EVAL", set, "0");
      return server;
    }

    test.each([
      ["as documented", (text: string) => text],
      ["and without that to set a name", (text: string) => text.replace(" +client|setname", "")],
    ])("without the right to select is denied, with the rule %s", async (_what, edit) => {
      const server = await startWithTwoDatabases(edit(rule!));
      const source = open({ port: server.port, database: 3, ...credentials });
      for (let round = 0; round < 3; round += 1) {
        expect(await readQueue(source, "orders")).toEqual(denied);
      }
    });

    test("with the right to select is the only one that is read", async () => {
      const server = await startWithTwoDatabases(`${rule} +select`);
      const source = open({ port: server.port, database: 3, ...credentials });
      const expected = { waiting: 0, prioritized: 0, arrivals: 1 };
      expect(await readQueue(source, "orders")).toMatchObject(expected);
      const clients = String(await server.command("CLIENT", "LIST")).split("\n");
      const ours = clients.filter((client) => client.includes("name=leadline"));
      expect(ours).toEqual([expect.stringContaining(" db=3 ")]);
      // A socket that took its place has to choose again.
      await server.command("CLIENT", "KILL", "USER", "leadline");
      await expect.poll(() => readQueue(source, "orders")).toMatchObject(expected);
      await server.command("ACL", "SETUSER", "leadline", "-select");
      await server.command("CLIENT", "KILL", "USER", "leadline");
      await expect.poll(() => readQueue(source, "orders")).toEqual(denied);
    });
  });

  test("a user that may not set its name is let in all the same", async () => {
    const server = await startWithUser(rule!.replace(" +client|setname", ""));
    expect(await readQueue(open({ port: server.port, ...credentials }), "orders")).toMatchObject({
      waiting: 1,
    });
  });
});

describe("over TLS", () => {
  let files: TlsFiles;

  beforeAll(async () => {
    files = await createTlsFiles();
  });

  async function startTls(options: Partial<RedisServerOptions["tls"]> = {}): Promise<RedisServer> {
    return start({ tls: { ...files.server, ...options } });
  }

  const ca = (): string => files.server.ca;

  test("reads from a server whose authority is given", async () => {
    const server = await startTls();
    await server.command("SET", "bull:orders:id", "5");
    expect(await readQueue(open({ port: server.port, tls: { ca } }), "orders")).toMatchObject({
      arrivals: 5,
    });
  });

  test("checks the name in the certificate, which can be given", async () => {
    const server = await startTls();
    await server.command("SET", "bull:orders:id", "5");
    const named = open({ port: server.port, tls: { ca, serverName: "localhost" } });
    expect(await readQueue(named, "orders")).toMatchObject({ arrivals: 5 });
    const misnamed = open({ port: server.port, tls: { ca, serverName: "redis.example" } });
    expect(await readQueue(misnamed, "orders")).toEqual(
      error("FailedPrecondition", "TLS handshake failed (ERR_TLS_CERT_ALTNAME_INVALID)"),
    );
  });

  test("shows a client certificate where the server asks for one", async () => {
    const server = await startTls({ requireClientCertificate: true });
    const cert = (): string => files.client.certificatePem;
    const key = (): string => files.client.privateKeyPem;
    const shown = open({ port: server.port, tls: { ca, cert, key } });
    expect(await readQueue(shown, "orders")).toMatchObject({ code: "NotFound" });
    const withheld = open({ port: server.port, tls: { ca } });
    expect(await readQueue(withheld, "orders")).toMatchObject({ code: "FailedPrecondition" });
  });

  test("an authority that did not sign the certificate is FailedPrecondition", async () => {
    const server = await startTls();
    const stranger = await createAuthority({
      commonName: "stranger",
      notBeforeMs: Date.now() - 60_000,
      notAfterMs: Date.now() + 60_000,
    });
    const source = open({ port: server.port, tls: { ca: () => stranger.certificatePem } });
    expect(await readQueue(source, "orders")).toEqual(
      error("FailedPrecondition", "TLS handshake failed (SELF_SIGNED_CERT_IN_CHAIN)"),
    );
  });

  test("a certificate file that cannot be read is FailedPrecondition", async () => {
    const server = await startTls();
    const missing = (): string => {
      throw new Error("file /secrets/ca.crt does not exist");
    };
    expect(await readQueue(open({ port: server.port, tls: { ca: missing } }), "orders")).toEqual(
      error("FailedPrecondition", "a certificate or key for TLS cannot be read"),
    );
  });

  test("a certificate that is replaced is used by the next socket", async () => {
    const server = await startTls();
    let text = "not a certificate";
    const source = open({ port: server.port, tls: { ca: () => text } });
    expect(await readQueue(source, "orders")).toMatchObject({ code: "FailedPrecondition" });
    text = files.server.ca;
    await expect
      .poll(() => readQueue(source, "orders"), { timeout: 5_000 })
      .toMatchObject({ code: "NotFound" });
  });

  const silent = "no answer to the TLS handshake within";

  test("a server without TLS waits for more, and costs the dial's deadline", async () => {
    const plain = await start({});
    const source = open({ port: plain.port, tls: { ca }, dialTimeoutMs: 200 });
    expect(await readQueue(source, "orders")).toEqual(
      error("DeadlineExceeded", `${silent} 200 ms; the server may not speak TLS`),
    );
  });

  test("which is told before the default timeout of a read passes", async () => {
    const plain = await start({});
    const source = open({ port: plain.port, tls: { ca } });
    expect(await readQueue(source, "orders", { timeoutMs: 3_000 })).toMatchObject({
      message: expect.stringContaining(silent) as string,
    });
  });

  test("no TLS to a server that wants it is Unavailable", async () => {
    const secure = await startTls();
    expect(await readQueue(open({ port: secure.port }), "orders")).toMatchObject({
      code: "Unavailable",
      message: expect.stringMatching(/connection (closed|reset)/u) as string,
    });
  });
});
