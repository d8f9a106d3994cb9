import { connect as connectTcp } from "node:net";
import type { Socket } from "node:net";
import { Agent } from "node:https";
import { connect as connectTls } from "node:tls";
import type { TLSSocket } from "node:tls";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { until } from "../fakes/until.ts";
import { ApiStand, base, statusBody } from "./api-stand.ts";

let stand: ApiStand;
const sockets: Socket[] = [];
beforeEach(async () => {
  stand = await ApiStand.start();
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await stand.stop();
});

const path = `${base}/namespaces/default/orders`;
const isAlive = async (): Promise<void> => {
  expect((await stand.get(path)).code).toBe(200);
};

async function openSocket(): Promise<TLSSocket> {
  const socket = await stand.openSocket();
  socket.on("error", () => undefined);
  sockets.push(socket);
  return socket;
}

/** Splits what a connection brought into the head and the body of its last response. */
function lastReply(text: string): { readonly statusLine: string; readonly body: string } {
  const start = text.lastIndexOf("HTTP/1.1 ");
  const [head = "", body = ""] = text.slice(start).split("\r\n\r\n");
  return { statusLine: head.split("\r\n")[0] ?? "", body };
}

describe("too large", () => {
  const message = "the request's line and headers are too large";
  const tooLarge = {
    statusLine: "HTTP/1.1 431 Request Header Fields Too Large",
    body: statusBody(431, "RequestEntityTooLarge", message),
  };

  test("64 KiB of headers", async () => {
    const headers = `X-Remote-Group: ${"g".repeat(1000)}\r\n`.repeat(66);
    const text = await stand.converse(`GET ${path} HTTP/1.1\r\nHost: a\r\n${headers}\r\n`);
    expect(lastReply(text)).toEqual(tooLarge);
    await isAlive();
  });

  test("a URL of 100 kB", async () => {
    const url = `${path}?labelSelector=${"a".repeat(100_000)}`;
    const text = await stand.converse(`GET ${url} HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect(lastReply(text)).toEqual(tooLarge);
    await isAlive();
  });

  test("48 KiB of group headers, as of a user in many groups, is not", async () => {
    const headers = Object.fromEntries(
      Array.from({ length: 48 }, (_, index) => [`x-remote-group-${index}`, "g".repeat(1000)]),
    );
    expect((await stand.get(path, headers)).code).toBe(200);
  });

  test("a URL of 60 kB is read and answered", async () => {
    const selector = `a in (${Array.from({ length: 10_000 }, (_, index) => `v${index}`).join(",")})`;
    const reply = await stand.get(
      `${path}?labelSelector=${encodeURIComponent(selector).slice(0, 60_000)}`,
    );
    expect(reply.code).toBe(400);
    await isAlive();
  });

  test("50,000 slashes are a path like another", async () => {
    expect((await stand.get("/".repeat(50_000))).code).toBe(404);
    await isAlive();
  });
});

describe("not HTTP, or not quite", () => {
  const invalid = {
    statusLine: "HTTP/1.1 400 Bad Request",
    body: statusBody(400, "BadRequest", "the request is not valid HTTP"),
  };

  test.each([
    ["garbage", "\x01\x02\x03 hello\r\n\r\n"],
    ["an unknown method", "FROB / HTTP/1.1\r\nHost: a\r\n\r\n"],
    ["a header without a colon", "GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n"],
    ["a line feed in a header's name", "GET / HTTP/1.1\r\nHost: a\r\nX\nY: z\r\n\r\n"],
    [
      "two lengths",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    ],
    [
      "a length and chunks",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
  ])("%s", async (_name, text) => {
    const reply = await stand.converse(text);
    expect(lastReply(reply)).toMatchObject({ statusLine: invalid.statusLine });
    await isAlive();
  });

  test("garbage is answered with a whole Status", async () => {
    const reply = await stand.converse("\x16nonsense\r\n\r\n");
    expect(lastReply(reply)).toEqual(invalid);
    expect(reply).toContain("Connection: close");
  });

  test.each([
    ["/%", "the request's target is not a path in valid percent-encoding"],
    ["/%ff%fe", "the request's target is not a path in valid percent-encoding"],
    ["*", "the request's target is not a path in valid percent-encoding"],
    ["http://elsewhere/apis", "the request's target is not a path in valid percent-encoding"],
  ])("target %s", async (target, message) => {
    const text = await stand.converse(
      `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    );
    expect(lastReply(text)).toEqual({
      statusLine: "HTTP/1.1 400 Bad Request",
      body: statusBody(400, "BadRequest", message),
    });
    expect(stand.authorizer.asked).toEqual([]);
  });

  test("HTTP/1.1 without a Host", async () => {
    const text = await stand.converse(`GET ${path} HTTP/1.1\r\n\r\n`);
    expect(lastReply(text).body).toBe(
      statusBody(400, "BadRequest", "missing required Host header"),
    );
  });

  test.each([
    ["websocket", "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: eA==\r\n"],
    ["h2c", "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n"],
  ])("an upgrade to %s", async (_name, headers) => {
    const text = await stand.converse(`GET ${path} HTTP/1.1\r\nHost: a\r\n${headers}\r\n`);
    expect(lastReply(text)).toEqual({
      statusLine: "HTTP/1.1 400 Bad Request",
      body: statusBody(400, "BadRequest", "upgrade is not supported"),
    });
  });

  test("CONNECT is no proxy", async () => {
    const text = await stand.converse("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n");
    expect(lastReply(text).statusLine).toBe("HTTP/1.1 405 Method Not Allowed");
  });

  test("a body is refused without being read", async () => {
    const head = `POST ${path} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1000000000\r\n\r\n`;
    const text = await stand.converse(head);
    expect(text).not.toContain("100 Continue");
    expect(lastReply(text).statusLine).toBe("HTTP/1.1 403 Forbidden");
    await isAlive();
  });

  test("HTTP/2 is not offered", async () => {
    const socket = connectTls({
      host: "127.0.0.1",
      port: stand.port,
      ca: stand.caPem,
      ALPNProtocols: ["h2", "http/1.1"],
    });
    sockets.push(socket);
    await until(() => socket.alpnProtocol !== null, "the handshake is done");
    expect(socket.alpnProtocol).toBe("http/1.1");
  });
});

describe("nonsense paths are refused before they are not found", () => {
  test.each([
    "/../../etc/passwd",
    "/apis/..%2f..%2fetc",
    `${base}/namespaces/default/%00`,
    `${base}/namespaces/default/%C3%A9`,
    "/healthz/../apis",
    "/HEALTHZ",
    "/readyz/",
    "/apis/external.metrics.k8s.io/v1beta1x",
    "/__proto__",
    "/readyz/__proto__",
  ])("%s", (target) => expectRefusedThenNotFound(target));

  test("a name of 5,000 signs", () =>
    expectRefusedThenNotFound(`${base}/namespaces/default/${"x".repeat(5000)}`));

  async function expectRefusedThenNotFound(target: string): Promise<void> {
    expect((await stand.ask({ path: target, as: "stranger" })).code).toBe(401);
    expect((await stand.ask({ path: target, as: "nobody" })).code).toBe(403);
    expect((await stand.get(target)).code).toBe(404);
  }
});

describe("clients that do not go on", () => {
  test("a TLS handshake cut short", async () => {
    const before = stand.lines.length;
    const whole = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc]);
    for (const bytes of [whole.subarray(0, 3), whole, Buffer.from("GET / HTTP/1.1\r\n\r\n")]) {
      const socket = connectTcp(stand.port, "127.0.0.1");
      sockets.push(socket);
      socket.on("error", () => undefined);
      await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
      socket.end(bytes);
      await until(() => socket.closed, "the server lets go");
    }
    await isAlive();
    const lines = stand.lines.slice(before);
    expect(lines.map(({ msg }) => msg)).toEqual(["TLS handshake failed"]);
  });

  test("a handshake that never goes on is given up", async () => {
    await stand.stop();
    stand = await ApiStand.start({ limits: { handshakeTimeoutMs: 1000 } });
    const socket = connectTcp(stand.port, "127.0.0.1");
    sockets.push(socket);
    socket.on("error", () => undefined);
    await until(() => socket.closed, "the server lets go");
    await isAlive();
  });

  test("a request half sent is given up with 408", async () => {
    await stand.stop();
    const limits = { requestTimeoutMs: 800, headersTimeoutMs: 800, checkIntervalMs: 100 };
    stand = await ApiStand.start({ limits });
    const text = await stand.converse(`GET ${path} HTTP/1.1\r\nHost: a\r\nX-Half`);
    expect(lastReply(text)).toEqual({
      statusLine: "HTTP/1.1 408 Request Timeout",
      body: `${JSON.stringify({
        kind: "Status",
        apiVersion: "v1",
        metadata: {},
        status: "Failure",
        message: "the request did not arrive in time",
        reason: "Timeout",
        code: 408,
      })}\n`,
    });
    await isAlive();
  });

  test("a connection that never asks is given up", async () => {
    await stand.stop();
    const limits = { requestTimeoutMs: 800, headersTimeoutMs: 800, checkIntervalMs: 100 };
    stand = await ApiStand.start({ limits });
    const socket = await openSocket();
    socket.resume();
    await until(() => socket.closed, "the server lets go");
    await isAlive();
  });

  test("a client that goes while its answer is prepared harms nobody", async () => {
    let answer: (() => void) | undefined;
    stand.provider.instead = () =>
      new Promise((resolve) => {
        answer = () => resolve({ status: "found", items: [] });
      });
    const socket = await openSocket();
    socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer hpa\r\n\r\n`);
    await until(() => answer !== undefined, "the provider is asked");
    socket.destroy();
    stand.provider.instead = undefined;
    await isAlive();
    answer?.();
    await isAlive();
  });
});

describe("too many", () => {
  test(
    "1,000 idle connections leave every read within its budget",
    { timeout: 60_000 },
    async () => {
      for (let round = 0; round < 20; round += 1)
        await Promise.all(Array.from({ length: 50 }, () => openSocket()));
      expect(sockets.filter((socket) => !socket.destroyed)).toHaveLength(1000);
      const agent = new Agent({ keepAlive: true });
      for (let count = 0; count < 20; count += 1) {
        const startedMs = performance.now();
        expect((await stand.ask({ path, agent })).code).toBe(200);
        expect(performance.now() - startedMs).toBeLessThan(5000);
      }
      agent.destroy();
    },
  );

  test("connections beyond the limit are dropped, the ones below it served", async () => {
    await stand.stop();
    stand = await ApiStand.start({ limits: { maxConnections: 10 } });
    const kept = new Agent({ keepAlive: true, maxSockets: 1 });
    expect((await stand.ask({ path, agent: kept })).code).toBe(200);
    for (let count = 0; count < 9; count += 1) await openSocket();
    await expect(stand.openSocket()).rejects.toThrow();
    expect((await stand.ask({ path, agent: kept })).code).toBe(200);
    for (const socket of sockets) socket.destroy();
    await until(() => sockets.every((socket) => socket.closed), "the idle ones are gone");
    kept.destroy();
    await expect.poll(async () => (await stand.get(path).catch(() => undefined))?.code).toBe(200);
  });

  test("requests that wait beyond the limit are shed with 503, probes and discovery never", async () => {
    await stand.stop();
    stand = await ApiStand.start({ maxInFlight: 2 });
    const release: (() => void)[] = [];
    stand.provider.instead = () =>
      new Promise((resolve) => {
        release.push(() => resolve({ status: "found", items: [] }));
      });
    const waiting = [stand.get(path), stand.get(path)];
    await until(() => release.length === 2, "two reads wait");
    const shed = await stand.get(path);
    expect(shed).toMatchObject({
      code: 503,
      body: statusBody(503, "ServiceUnavailable", "too many requests in flight"),
    });
    expect(shed.headers["retry-after"]).toBeUndefined();
    for (const target of ["/readyz", "/apis", base])
      expect((await stand.get(target)).code).toBe(200);
    expect(await stand.registry.metrics()).toContain("apiserver_current_inflight_requests 2");
    for (const answer of release) answer();
    for (const reply of await Promise.all(waiting)) expect(reply.code).toBe(200);
    stand.provider.instead = undefined;
    await isAlive();
    expect(await stand.registry.metrics()).toContain("apiserver_current_inflight_requests 0");
  });
});

describe("a media type named like a property of every object", () => {
  const accepts = ["constructor", "__proto__", "toString", "text/html, constructor;q=0.5"];
  const paths = [path, "/version", "/apis", base, "/nonsense", "/readyz/nonsense"];
  const cases = accepts.flatMap((accept) => paths.map((target) => ({ accept, target })));

  test.each(cases)("$accept for $target: a Status, with and without a user", async (asked) => {
    for (const as of ["hpa", "nobody", null]) {
      const headers = { accept: asked.accept };
      const reply = await stand.ask({ path: asked.target, headers, as });
      expect([403, 404, 406]).toContain(reply.code);
      expect(reply.headers["content-type"]).toBe("application/json");
      expect(JSON.parse(reply.body)).toMatchObject({ kind: "Status", code: reply.code });
    }
    expect(stand.lines.filter(({ level }) => level === "error")).toEqual([]);
  });

  test.each(["allowed", "denied"] as const)("while access is asked for and %s", async (status) => {
    const authorize = () => Promise.resolve({ status, reason: "" });
    const slow = await ApiStand.start({ authorizer: { authorize } });
    try {
      const reply = await slow.get(path, { accept: "constructor" });
      expect(reply.code).toBe(status === "allowed" ? 406 : 403);
      expect((await slow.get("/version", { accept: "__proto__" })).code).not.toBe(500);
    } finally {
      await slow.stop();
    }
  });
});
