import { Agent } from "node:https";
import { connect as connectTcp } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../src/runtime/clock.ts";
import { until } from "../fakes/until.ts";
import { ApiStand, base, servingPair } from "./api-stand.ts";

let stand: ApiStand;
let agent: Agent;
beforeEach(async () => {
  stand = await ApiStand.start();
  agent = new Agent({ keepAlive: true });
});
afterEach(async () => {
  agent.destroy();
  await stand.stop();
});

const path = `${base}/namespaces/default/orders`;

/** Makes the provider wait, and gives back what lets it answer. */
function holdBack(): { readonly isAsked: () => boolean; readonly release: () => void } {
  let answer: (() => void) | undefined;
  stand.provider.instead = () =>
    new Promise((resolve) => {
      answer = () => resolve({ status: "found", items: [] });
    });
  return { isAsked: () => answer !== undefined, release: () => answer?.() };
}

describe("draining", () => {
  test("every answer closes its connection, and new connections are still served", async () => {
    const before = await stand.ask({ path, agent });
    expect(before.headers["connection"]).toBe("keep-alive");
    stand.server.startDraining();
    for (const target of [path, base, "/apis", "/readyz", "/nonsense", path, path]) {
      const reply = await stand.ask({ path: target, agent });
      expect(reply.headers["connection"]).toBe("close");
      expect([200, 404]).toContain(reply.code);
    }
    expect(Object.keys(agent.freeSockets)).toEqual([]);
  });

  test("a request that was in flight when draining began closes its connection too", async () => {
    const { isAsked, release } = holdBack();
    const reply = stand.ask({ path, agent });
    await until(isAsked, "the provider is asked");
    stand.server.startDraining();
    release();
    expect(await reply).toMatchObject({ code: 200, headers: { connection: "close" } });
  });
});

describe("stopping", () => {
  test("requests in flight finish, new connections are refused", async () => {
    const { isAsked, release } = holdBack();
    const reply = stand.ask({ path, agent });
    await until(isAsked, "the provider is asked");
    const stopped = stand.server.stop();
    await expect(stand.get(path)).rejects.toThrow(/ECONNREFUSED/u);
    release();
    expect(await reply).toMatchObject({ code: 200, headers: { connection: "close" } });
    await stopped;
  });

  test("a connection opened before may still ask, and is closed by the answer", async () => {
    const socket = await stand.openSocket();
    let text = "";
    socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
    const stopped = stand.server.stop();
    socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer hpa\r\n\r\n`);
    await until(() => socket.closed, "the server closes it");
    await stopped;
    expect(text).toMatch(/^HTTP\/1.1 200 OK\r\n/u);
    expect(text).toContain("\r\nConnection: close\r\n");
  });

  test("a pooled connection may still ask, and is closed by the answer", async () => {
    expect((await stand.ask({ path, agent })).headers["connection"]).toBe("keep-alive");
    const stopped = stand.server.stop();
    const reply = await stand.ask({ path, agent });
    expect(reply).toMatchObject({ code: 200, headers: { connection: "close" } });
    await stopped;
  });

  test("idle connections do not hold it up", async () => {
    await stand.ask({ path, agent });
    const startedMs = performance.now();
    await stand.server.stop();
    expect(performance.now() - startedMs).toBeLessThan(4000);
  });

  test("what does not end is cut off in bounded time", async () => {
    await stand.server.stop();
    stand = await ApiStand.start({ limits: { stopTimeoutMs: 100 } });
    holdBack();
    const hanging = stand.ask({ path, agent }).catch(() => "cut off");
    const silent = await stand.openSocket();
    silent.on("error", () => undefined);
    const raw = connectTcp(stand.port, "127.0.0.1");
    raw.on("error", () => undefined);
    await until(() => stand.provider.requests.length === 1 && !raw.connecting, "all are there");
    await stand.server.stop();
    expect(await hanging).toBe("cut off");
    await until(() => silent.closed && raw.closed, "nothing is left");
  });

  test("may be asked for twice, and before the start", async () => {
    await Promise.all([stand.server.stop(), stand.server.stop()]);
    await stand.server.stop();
  });

  test("a port that is taken is an error that says so", async () => {
    await expect(ApiStand.start({ port: stand.port })).rejects.toThrow(/EADDRINUSE/u);
  });
});

test("50 reads a second through a drain and a stop: none fails", async () => {
  const next = await ApiStand.start();
  const failures: unknown[] = [];
  let target = stand;
  let isDone = false;
  // As kube-apiserver does: pooled connections, and a new one wherever the pool has none.
  const worker = async (): Promise<number> => {
    let count = 0;
    while (!isDone) {
      const reply = await target.ask({ path, agent }).catch((reason: unknown) => {
        failures.push(reason);
      });
      if (reply !== undefined && reply.code !== 200) failures.push(reply);
      count += 1;
      await systemClock.sleep(20);
    }
    return count;
  };
  const workers = Array.from({ length: 4 }, worker);
  await until(() => stand.replies.length > 20, "traffic flows");
  stand.server.startDraining();
  const atDrain = stand.replies.length;
  await until(() => stand.replies.length > atDrain + 20, "the drain is seen");
  target = next;
  await until(() => next.replies.length > 20, "new connections go elsewhere");
  await stand.server.stop();
  const atStop = next.replies.length;
  await until(() => next.replies.length > atStop + 20, "traffic flows on");
  isDone = true;
  await Promise.all(workers);
  expect(failures).toEqual([]);
  await next.stop();
});

test("another certificate is presented from the next handshake on; a pair that does not match changes nothing", async () => {
  const name = async (): Promise<string | undefined> => {
    const socket = await stand.openSocket();
    const subject = socket.getPeerX509Certificate()?.subject;
    socket.destroy();
    return subject;
  };
  expect(await name()).toBe("CN=leadline.leadline.svc");
  await stand.ask({ path, agent });
  const renewed = await servingPair("renewed.leadline.svc");
  const tls = { key: renewed.privateKeyPem, cert: renewed.certificatePem };
  stand.server.setSecureContext(tls);
  expect(await name()).toBe("CN=renewed.leadline.svc");
  const { certificatePem: cert } = await servingPair("third.leadline.svc");
  expect(() => stand.server.setSecureContext({ ...tls, cert })).toThrow(/key values mismatch/u);
  expect(await name()).toBe("CN=renewed.leadline.svc");
  // The connection that was open all the while goes on.
  const reply = await stand.ask({ path, agent });
  expect(reply).toMatchObject({ code: 200, headers: { connection: "keep-alive" } });
});
