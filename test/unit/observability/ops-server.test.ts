import { once } from "node:events";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { Counter } from "prom-client";
import { afterEach, describe, expect, it } from "vitest";
import type { OpsRoute } from "../../../src/observability/ops-route.ts";
import { jsonAnswer, textAnswer } from "../../../src/observability/ops-route.ts";
import { OpsServer } from "../../../src/observability/ops-server.ts";
import { createRegistry } from "../../../src/observability/registry.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { HealthRegistry } from "../../../src/runtime/health.ts";
import type { CheckResult } from "../../../src/runtime/health.ts";
import { memoryLog } from "../../fakes/memory-log.ts";

interface Reply {
  readonly code: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

const servers: OpsServer[] = [];
const neverAborted = new AbortController().signal;

async function startServer(routes: readonly OpsRoute[] = [], bindAddress = "127.0.0.1") {
  const registry = createRegistry({ version: "0.1.0", node: "v24.0.0" });
  const health = new HealthRegistry();
  const { logger, lines } = memoryLog(systemClock, "debug");
  const server = new OpsServer({
    ...{ bindAddress, port: 0, registry, health, routes, clock: systemClock, logger },
  });
  await server.start(neverAborted);
  servers.push(server);
  const url = server.url ?? "";
  const get = (path: string, options: object = {}): Promise<Reply> => ask(`${url}${path}`, options);
  return { server, url, registry, health, lines, get };
}

async function ask(url: string, options: object): Promise<Reply> {
  return await new Promise<Reply>((resolve, reject) => {
    const outgoing = request(url, { agent: false, ...options }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (body += chunk));
      response.on("end", () =>
        resolve({ code: response.statusCode, headers: response.headers, body }),
      );
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

describe("/metrics", () => {
  it("answers in the Prometheus format, and in OpenMetrics where a scraper prefers it, time and again", async () => {
    const { registry, get } = await startServer();
    new Counter({ name: "polls_total", help: "Polls.", registers: [registry] }).inc(2);
    const openMetrics = { headers: { Accept: "application/openmetrics-text;version=1.0.0" } };
    for (let round = 0; round < 2; round += 1) {
      const plain = await get("/metrics");
      expect(plain.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
      expect(plain.body).toContain("# TYPE polls_total counter\npolls_total 2\n");
      const open = await get("/metrics", openMetrics);
      expect(open.headers["content-type"]).toBe(
        "application/openmetrics-text; version=1.0.0; charset=utf-8",
      );
      expect(open.body).toContain("# TYPE polls counter\npolls_total 2\n");
      expect(open.body.endsWith("\n# EOF\n")).toBe(true);
    }
  });

  it("answers 500 without the reason when a metric cannot be worked out, and logs why", async () => {
    const { registry, get, lines } = await startServer();
    new Counter({
      name: "broken_total",
      help: "x",
      registers: [registry],
      collect() {
        throw new Error("broken inside");
      },
    });
    expect(await get("/metrics")).toMatchObject({ code: 500, body: "internal server error\n" });
    expect(lines.at(-1)).toMatchObject({
      level: "error",
      msg: "Operations request failed",
      err: { message: "broken inside" },
    });
  });
});

describe("probes", () => {
  const red: CheckResult = { status: "failed", reason: "3 queries have had no outcome" };

  it("answer ok while all checks pass", async () => {
    const { health, get } = await startServer();
    health.addLiveness({ name: "ping", run: () => ({ status: "ok" }) });
    for (const probe of ["livez", "readyz", "healthz"]) {
      expect(await get(`/${probe}`)).toMatchObject({ code: 200, body: "ok" });
    }
    expect((await get("/readyz?verbose")).body).toBe("[+]ping ok\nreadyz check passed\n");
  });

  it("answer 500 with the names of the checks and without the reasons when one fails", async () => {
    const { health, get, lines } = await startServer();
    health.addLiveness({ name: "ping", run: () => ({ status: "ok" }) });
    health.addReadiness({ name: "first-poll", run: () => red });
    expect(await get("/livez")).toMatchObject({ code: 200, body: "ok" });
    expect(await get("/readyz")).toMatchObject({
      code: 500,
      body: "[+]ping ok\n[-]first-poll failed: reason withheld\nreadyz check failed\n",
    });
    expect(lines.at(-1)).toMatchObject({
      msg: "Probe failed",
      failures: [{ name: "first-poll", reason: "3 queries have had no outcome" }],
    });
    expect(await get("/readyz?exclude=first-poll")).toMatchObject({ code: 200, body: "ok" });
  });
});

describe("routes", () => {
  const signals: OpsRoute = {
    path: "/api/v1/signals",
    audience: "Loopback",
    answer: ({ path, parameters }) => jsonAnswer(200, { path, all: parameters.has("all") }),
  };

  it("answer at their path and below it, and nowhere else", async () => {
    const { get } = await startServer([signals]);
    expect(await get("/api/v1/signals")).toMatchObject({
      code: 200,
      body: '{"path":"/api/v1/signals","all":false}\n',
      headers: { "content-type": "application/json" },
    });
    expect((await get("/api/v1/signals/vlm/worker?all")).body).toBe(
      '{"path":"/api/v1/signals/vlm/worker","all":true}\n',
    );
    expect(await get("/api/v1/signalsandmore")).toMatchObject({ code: 404, body: "not found\n" });
    expect(await get("/api/v1")).toMatchObject({ code: 404 });
  });

  it("for loopback refuse a name that only points here", async () => {
    const { get } = await startServer([signals]);
    const refused = { code: 403, body: "answered on loopback only\n" };
    expect(await get("/api/v1/signals", { headers: { Host: "evil.example" } })).toMatchObject(
      refused,
    );
    expect(await get("/api/v1/signals", { headers: { Host: "localhost" } })).toMatchObject({
      code: 200,
    });
  });

  it("for loopback refuse a peer from elsewhere; for everyone answer it", async ({ skip }) => {
    const outside = Object.values(networkInterfaces())
      .flat()
      .find((entry) => entry?.family === "IPv4" && !entry.internal)?.address;
    if (outside === undefined) skip("this machine has no address but loopback");
    const open: OpsRoute = {
      path: "/open",
      audience: "Everyone",
      answer: () => textAnswer(200, "x"),
    };
    const { url } = await startServer([signals, open], "0.0.0.0");
    const elsewhere = url.replace("0.0.0.0", outside ?? "");
    const headers = { Host: "localhost" };
    expect((await ask(`${elsewhere}/api/v1/signals`, { headers })).code).toBe(403);
    expect((await ask(`${elsewhere}/open`, {})).code).toBe(200);
  });

  it("that fail are a 500 without the reason", async () => {
    const broken: OpsRoute = {
      path: "/broken",
      audience: "Everyone",
      answer: () => Promise.reject(new Error("inside")),
    };
    const { get } = await startServer([broken]);
    expect(await get("/broken")).toMatchObject({ code: 500, body: "internal server error\n" });
    expect(await get("/livez")).toMatchObject({ code: 200 });
  });
});

describe("limits", () => {
  it.each(["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])("%s is refused", async (method) => {
    const { get } = await startServer();
    expect(await get("/metrics", { method })).toMatchObject({
      code: 405,
      body: "only GET and HEAD are allowed\n",
      headers: { allow: "GET, HEAD", connection: "close" },
    });
  });

  it("HEAD is answered without the body", async () => {
    const { get } = await startServer();
    const reply = await get("/livez", { method: "HEAD" });
    expect(reply).toMatchObject({ code: 200, body: "", headers: { "content-length": "2" } });
  });

  it("headers that are too large are a 431", async () => {
    const { get } = await startServer();
    expect((await get("/livez", { headers: { "X-Long": "x".repeat(20_000) } })).code).toBe(431);
  });
});

describe("start and stop", () => {
  it("says where it listens, and nowhere once stopped", async () => {
    const { server, url, lines } = await startServer();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/u);
    expect(lines[0]).toMatchObject({ msg: "Serving operations", address: url });
    await server.start(neverAborted);
    await Promise.all([server.stop(), server.stop()]);
    expect(server.url).toBeUndefined();
    await expect(ask(`${url}/livez`, {})).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it("is safe to stop before the start", async () => {
    const { logger } = memoryLog(systemClock);
    const server = new OpsServer({
      bindAddress: "127.0.0.1",
      port: 0,
      registry: createRegistry({ version: "0", node: "v0" }),
      health: new HealthRegistry(),
      routes: [],
      clock: systemClock,
      logger,
    });
    await server.stop();
  });

  it("names the address that cannot be had", async () => {
    const { url } = await startServer();
    const port = Number(new URL(url).port);
    const { logger } = memoryLog(systemClock);
    const second = new OpsServer({
      bindAddress: "127.0.0.1",
      port,
      registry: createRegistry({ version: "0", node: "v0" }),
      health: new HealthRegistry(),
      routes: [],
      clock: systemClock,
      logger,
    });
    await expect(second.start(neverAborted)).rejects.toThrow(
      `ops port: listen EADDRINUSE: address already in use 127.0.0.1:${port}`,
    );
    await second.stop();
  });

  it("ends idle connections at once, and one that hangs within a second", async () => {
    const never: OpsRoute = {
      path: "/never",
      audience: "Everyone",
      answer: () => new Promise(() => undefined),
    };
    const { server, url, get } = await startServer([never]);
    const agent = new Agent({ keepAlive: true });
    await get("/livez", { agent });
    const hanging = connect(Number(new URL(url).port), "127.0.0.1");
    const closed = once(hanging, "close");
    hanging.on("error", () => undefined);
    hanging.write("GET /never HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await get("/livez");
    const startedMs = systemClock.monotonic();
    await server.stop();
    await closed;
    expect(systemClock.monotonic() - startedMs).toBeLessThan(3_000);
    agent.destroy();
  });
});
