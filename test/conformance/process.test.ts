import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent } from "node:https";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Queue } from "bullmq";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Authority, KeyPair } from "../../src/certificates/authority.ts";
import { FakeKubeApi } from "../fakes/fake-kube-api.ts";
import { neverAnswers, startTcpPeer } from "../fakes/tcp-peer.ts";
import { freePort, startRedisServer } from "../servers/redis-server.ts";
import type { RedisServer } from "../servers/redis-server.ts";
import { base, statusBody } from "./api-stand.ts";
import { clientRequest, configMapOf, newAuthority } from "./authentication-stand.ts";
import { SpawnedServer } from "./spawned-server.ts";
import type { ApiRead, Ending } from "./spawned-server.ts";

const ordersPath = `${base}/namespaces/shop/orders`;
const shutdownDelaySeconds = 2;

let folder: string;
let redis: RedisServer;
let authorities: { readonly serving: Authority; readonly proxy: Authority; readonly caPem: string };
let proxyCertificate: KeyPair;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "leadline-process-"));
  const [serving, proxy] = await Promise.all([newAuthority("serving"), newAuthority("proxy")]);
  authorities = { serving, proxy, caPem: serving.certificatePem };
  proxyCertificate = await proxy.issue(clientRequest("front-proxy-client"));
  redis = await startRedisServer();
  await addJobs(redis.port, 3);
});
afterAll(async () => {
  await redis.stop();
  rmSync(folder, { recursive: true });
});

/** The queue `orders`, as a producer makes it. */
async function addJobs(port: number, count: number): Promise<void> {
  const queue = new Queue("orders", { connection: { host: "127.0.0.1", port } });
  await queue.addBulk(Array.from({ length: count }, () => ({ name: "job", data: {} })));
  await queue.close();
}

/** A signal over the queue of the same name at the connection of the same name; further lines are indented as `spec` is. */
function signalYaml(name: string, ...further: readonly string[]): string {
  return `
  - metadata: { namespace: shop, name: ${name} }
    spec:
      inputs:
        - name: jobs
          bullmq: { connectionRef: { name: ${name} }, queue: ${name} }
      value: { expression: "jobs.backlog" }
${further.map((line) => `      ${line}\n`).join("")}`;
}

function connectionYaml(name: string, port: number, polling: string): string {
  return `
  - name: ${name}
    redis: { url: "redis://127.0.0.1:${port}" }
    polling: ${polling}
`;
}

function ordersYaml(port: number, ...further: readonly string[]): string {
  const polling = "{ intervalSeconds: 1, timeoutSeconds: 1, maxAgeSeconds: 600 }";
  return `connections:${connectionYaml("orders", port, polling)}signals:${signalYaml("orders", ...further)}`;
}

/** Writes a file into the folder of this run, and gives back its path. */
function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** Nothing of the tests' own, so that no cluster of the machine is found. What one process compiled, the next one need not. */
function environment(): Readonly<Record<string, string>> {
  return { NODE_COMPILE_CACHE: join(folder, "compiled") };
}

async function servingPair(): Promise<KeyPair> {
  const local = { usages: ["ServerAuth" as const], ipAddresses: ["127.0.0.1"] };
  return authorities.serving.issue(clientRequest("leadline", local));
}

/** A certificate on disk under these names. */
async function writePair(name: string): Promise<{ pair: KeyPair; flags: readonly string[] }> {
  const pair = await servingPair();
  const cert = write(`${name}.crt`, pair.certificatePem);
  const key = write(`${name}.key`, pair.privateKeyPem);
  return { pair, flags: ["--tls-cert-file", cert, "--tls-private-key-file", key] };
}

function fingerprint({ certificatePem }: KeyPair): string {
  return new X509Certificate(certificatePem).fingerprint256;
}

const anyPorts = ["--bind-address", "127.0.0.1", "--secure-port", "0"].concat(
  ...["--ops-bind-address", "127.0.0.1", "--ops-port", "0"],
);

/** A kube-apiserver that listens nowhere yet, and whose address is known; it lets `hpa` and nobody else read. */
async function absentKubeApi(): Promise<FakeKubeApi> {
  const kube = await FakeKubeApi.create();
  await kube.start();
  await kube.stop();
  kube.setConfigMap(configMapOf("", authorities.proxy.certificatePem));
  kube.review = ({ user }) => ({ allowed: user === "hpa" });
  kube.users.set("hpa-token", { username: "hpa" });
  return kube;
}

async function expectReady(server: SpawnedServer): Promise<void> {
  await vi.waitFor(
    async () => expect(await server.ops("/readyz?verbose")).toMatchObject({ code: 200 }),
    { timeout: 10_000, interval: 25 },
  );
}

/** A read as kube-apiserver passes it on. */
function readAs(user: string, path = ordersPath): ApiRead {
  return { path, certificate: proxyCertificate, headers: { "X-Remote-User": user } };
}

function valueOf(body: string): unknown {
  return (JSON.parse(body) as { items: readonly { value: unknown }[] }).items[0]?.value;
}

async function signalTwice(server: SpawnedServer, signal: NodeJS.Signals): Promise<number> {
  server.kill(signal);
  await vi.waitFor(async () => expect(await server.ops("/readyz")).toMatchObject({ code: 500 }), {
    timeout: 5_000,
    interval: 25,
  });
  const startedMs = performance.now();
  server.kill(signal);
  await server.ended;
  return performance.now() - startedMs;
}

describe("a process in a cluster", () => {
  let kube: FakeKubeApi;
  let server: SpawnedServer;
  let pair: KeyPair;
  let configFile: string;
  beforeAll(async () => {
    kube = await absentKubeApi();
    await kube.start();
    configFile = write("cluster.yaml", ordersYaml(redis.port));
    const written = await writePair("cluster");
    pair = written.pair;
    server = await SpawnedServer.start({
      flags: [
        ...["--config", configFile, "--kubeconfig", write("cluster.kubeconfig", kube.kubeconfig())],
        ...[...anyPorts, ...written.flags],
        ...["--shutdown-delay-seconds", String(shutdownDelaySeconds)],
      ],
      environment: environment(),
      caPem: authorities.caPem,
    });
    await expectReady(server);
  });
  afterAll(async () => {
    await server.stop();
    await kube.stop();
  });

  test("readiness asks every part that has something to say", async () => {
    const names = ["ping", "authn-config", "serving-cert", "first-poll", "shutdown"];
    const lines = names.map((name) => `[+]${name} ok\n`);
    const { body } = await server.ops("/readyz?verbose");
    expect(body).toBe(`${lines.join("")}readyz check passed\n`);
    expect((await server.ops("/livez?verbose")).body).toBe("[+]ping ok\nlivez check passed\n");
  });

  test("the cluster's access review lets a user read, and another one not", async () => {
    const allowed = await server.api(readAs("hpa"));
    expect(allowed.code, allowed.body).toBe(200);
    expect(valueOf(allowed.body)).toBe("3");
    const denied = await server.api(readAs("eve"));
    expect(denied.code).toBe(403);
    expect(JSON.parse(denied.body)).toMatchObject({ kind: "Status", reason: "Forbidden" });
    expect(kube.calls.at(-1)).toMatchObject({
      call: "subjectAccessReview",
      spec: {
        user: "eve",
        resourceAttributes: {
          ...{ group: "external.metrics.k8s.io", version: "v1beta1" },
          ...{ namespace: "shop", resource: "orders", verb: "list" },
        },
      },
    });
  });

  test("a user named without the front proxy's certificate is anonymous: 403", async () => {
    const forged = { "X-Remote-User": "hpa", "X-Remote-Group": "system:masters" };
    const reply = await server.api({ path: ordersPath, headers: forged });
    expect(reply.code).toBe(403);
    expect(reply.body).toContain(String.raw`User \"system:anonymous\"`);
    expect(kube.calls.at(-1)?.spec).toMatchObject({ user: "system:anonymous" });
  });

  test("the cluster's token review says who a bearer token is", async () => {
    const withToken = (token: string): ApiRead => ({
      path: ordersPath,
      headers: { Authorization: `Bearer ${token}` },
    });
    expect(await server.api(withToken("hpa-token"))).toMatchObject({ code: 200 });
    expect(await server.api(withToken("nonsense"))).toMatchObject({ code: 401 });
  });

  test("the ops port explains signals to loopback, all of them or one by name", async () => {
    const explanation = {
      ...{ namespace: "shop", name: "orders", status: "available", value: 3, quantity: "3" },
      inputs: [expect.objectContaining({ name: "jobs", status: "fresh" })],
    };
    const all = await server.ops("/api/v1/signals");
    expect(all.code).toBe(200);
    expect(JSON.parse(all.body)).toEqual({ items: [expect.objectContaining(explanation)] });
    const one = await server.ops("/api/v1/signals/shop/orders");
    expect(one.code).toBe(200);
    expect(JSON.parse(one.body)).toMatchObject(explanation);
    expect(await server.ops("/api/v1/signals/shop/mails")).toMatchObject({ code: 404 });
  });

  test("the ops port shows signals to no other host's name: 403", async () => {
    for (const path of ["/api/v1/signals", "/api/v1/signals/shop/orders"]) {
      const reply = await server.ops(path, { Host: "leadline.example" });
      expect(reply).toMatchObject({ code: 403, body: "answered on loopback only\n" });
    }
  });

  test("the ops port exports every metric that the source declares, and no name beside ours", async () => {
    const declared = declaredMetrics();
    expect(declared).toContain("leadline_serving_certificate_not_after_timestamp_seconds");
    expect(declared.length).toBeGreaterThan(20);
    const { body } = await server.ops("/metrics");
    const families = [...body.matchAll(/^# TYPE (\S+) /gmu)].map(([, name]) => name);
    expect(families).toEqual(expect.arrayContaining([...declared]));
    const foreign = families.filter(
      (name) => !/^(?:leadline|apiserver|process|nodejs)_/u.test(name ?? ""),
    );
    expect(foreign).toEqual([]);
  });

  test("the exported metrics are those of the parts that run", async () => {
    const notAfterSeconds = Date.parse(new X509Certificate(pair.certificatePem).validTo) / 1000;
    const { version } = JSON.parse(
      readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
    ) as { readonly version: string };
    await server.api(readAs("hpa"));
    const samples = samplesOf((await server.ops("/metrics")).body);
    expect(Object.fromEntries(samples)).toMatchObject({
      leadline_serving_certificate_not_after_timestamp_seconds: notAfterSeconds,
      [`leadline_build_info{version="${version}",node="${process.version}"}`]: 1,
      leadline_config_last_reload_successful: 1,
      leadline_store_queries: 1,
      'leadline_queries{connection="orders",state="read"}': 1,
      'leadline_signal_value{namespace="shop",name="orders"}': 3,
      'leadline_signal_available{namespace="shop",name="orders"}': 1,
    });
    const counted = [
      "leadline_config_hash",
      "leadline_config_last_reload_success_timestamp_seconds",
      "leadline_store_readings",
      'leadline_polls_total{connection="orders",outcome="Read"}',
      'leadline_poll_duration_seconds_count{connection="orders"}',
      'leadline_poll_last_success_timestamp_seconds{connection="orders"}',
      'leadline_sample_age_seconds{connection="orders",quantile="1"}',
      'leadline_signal_evaluations_total{outcome="available"}',
      'apiserver_request_total{verb="LIST",resource="externalmetrics",code="200"}',
      'apiserver_request_duration_seconds_count{verb="LIST",resource="externalmetrics"}',
      "leadline_metric_freshness_seconds_count",
    ];
    for (const name of counted) expect(samples.get(name), name).toBeGreaterThan(0);
  });

  test("an unusable certificate changes nothing, a good one is presented without a restart", async () => {
    const refusal = "Serving certificate not reloaded: keeping the one in use";
    expect(await server.presented()).toBe(fingerprint(pair));

    const next = await servingPair();
    write("cluster.crt", next.certificatePem);
    await server.untilLogged(refusal, 1);
    expect(await server.presented()).toBe(fingerprint(pair));

    write("cluster.key", next.privateKeyPem);
    await server.untilLogged("Serving certificate reloaded");
    expect(await server.presented()).toBe(fingerprint(next));

    write("cluster.crt", "garbage");
    await server.untilLogged(refusal, 2);
    expect(await server.presented()).toBe(fingerprint(next));
    expect(await server.api(readAs("hpa"))).toMatchObject({ code: 200 });
    expect(await server.ops("/readyz")).toMatchObject({ code: 200 });
  });

  test("a bad configuration leaves the last good one in force, a good one takes its place", async () => {
    const bad = ordersYaml(redis.port).replace("jobs.backlog", "jbos.backlog");
    write("cluster.yaml", bad);
    await server.untilLogged("Configuration refused");
    const findings = server.logged("Configuration refused")[0]?.["findings"];
    expect(findings).toEqual([
      expect.stringMatching(/cluster\.yaml:\d+:\d+ signals\[0\].*"jbos"/u),
    ]);
    const kept = await server.api(readAs("hpa"));
    expect(kept.code).toBe(200);
    expect(valueOf(kept.body)).toBe("3");
    const reloaded = async (): Promise<unknown> =>
      samplesOf((await server.ops("/metrics")).body).get("leadline_config_last_reload_successful");
    expect(await reloaded()).toBe(0);

    write("cluster.yaml", ordersYaml(redis.port, "modifiers: { minimum: 7 }"));
    await server.untilLogged("Configuration in force", 2);
    expect(valueOf((await server.api(readAs("hpa"))).body)).toBe("7");
    expect(await reloaded()).toBe(1);
  });

  test("a signal turns readiness red first, the listener answers until the delay is over, then the exit code is 0", async () => {
    const agent = new Agent({ keepAlive: true });
    const read = { ...readAs("hpa"), agent };
    expect((await server.api(read)).headers["connection"]).toBe("keep-alive");
    const startedMs = performance.now();
    server.kill("SIGTERM");
    await vi.waitFor(
      async () => expect(await server.api({ path: "/readyz" })).toMatchObject({ code: 500 }),
      { timeout: shutdownDelaySeconds * 1000, interval: 25 },
    );
    expect((await server.ops("/readyz")).body).toContain("[-]shutdown failed");
    expect(await server.ops("/livez")).toMatchObject({ code: 200 });
    let lastReadMs = 0;
    while (!server.hasEnded) {
      const reply = await server.api(read).catch(() => undefined);
      if (reply === undefined) break;
      expect(reply).toMatchObject({ code: 200, headers: { connection: "close" } });
      lastReadMs = performance.now() - startedMs;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    agent.destroy();
    expect(await server.ended).toMatchObject({ code: 0, signal: null, stderr: "" });
    const tookMs = performance.now() - startedMs;
    const delayMs = shutdownDelaySeconds * 1000;
    expect(lastReadMs).toBeGreaterThan(delayMs * 0.75);
    expect(tookMs).toBeGreaterThanOrEqual(delayMs - 50);
    expect(tookMs).toBeLessThan(delayMs + 5_000);
    expect(server.logged("Stopping")).toMatchObject([{ reason: "SIGTERM" }]);
    expect(server.logged("Stopped")).toHaveLength(1);
  });
});

describe("a process whose cluster is away when it starts", () => {
  let kube: FakeKubeApi;
  let server: SpawnedServer;
  beforeAll(async () => {
    kube = await absentKubeApi();
    const kubeconfig = write("away.kubeconfig", kube.kubeconfig());
    const { flags } = await writePair("away");
    server = await SpawnedServer.start({
      flags: [
        ...["--config", write("away.yaml", ordersYaml(redis.port)), ...anyPorts, ...flags],
        ...["--shutdown-delay-seconds", "60"],
      ],
      environment: { ...environment(), KUBECONFIG: kubeconfig },
      caPem: authorities.caPem,
    });
  });
  afterAll(async () => {
    await server.stop();
    await kube.stop();
  });

  test("it lives, is not ready and names the check; once the cluster comes, it is ready", async () => {
    await server.untilLogged("Authentication configuration not read");
    const onlyAuthn =
      /^(?:\[\+\]\S+ ok\n)+\[-\]authn-config failed: reason withheld\n(?:\[\+\]\S+ ok\n)+readyz check failed\n$/u;
    await vi.waitFor(
      async () => expect((await server.ops("/readyz?verbose")).body).toMatch(onlyAuthn),
      { timeout: 5_000, interval: 25 },
    );
    expect(await server.api({ path: "/readyz?verbose" })).toMatchObject({ code: 500 });
    expect(await server.ops("/livez")).toMatchObject({ code: 200, body: "ok" });
    expect(await server.api({ path: "/livez" })).toMatchObject({ code: 200, body: "ok" });
    expect(await server.api(readAs("hpa"))).toMatchObject({ code: 401 });
    expect(server.hasEnded).toBe(false);

    await kube.start();
    await expectReady(server);
    expect((await server.ops("/readyz?verbose")).body).toContain("[+]authn-config ok\n");
    expect(await server.api(readAs("hpa"))).toMatchObject({ code: 200 });
  });

  test("a second SIGTERM ends it at once with 143, however long the delay is", async () => {
    expect(await signalTwice(server, "SIGTERM")).toBeLessThan(2_000);
    expect(await server.ended).toMatchObject({ code: 143, signal: null });
  });
});

describe("a standalone process whose queues are away", () => {
  let server: SpawnedServer;
  let silent: Awaited<ReturnType<typeof startTcpPeer>>;
  let port: number;
  let later: RedisServer | undefined;
  beforeAll(async () => {
    port = await freePort();
    silent = await startTcpPeer(neverAnswers);
    const polling = "{ intervalSeconds: 1, timeoutSeconds: 3, maxAgeSeconds: 600 }";
    const configuration = `
server: { securePort: 0, shutdownDelaySeconds: 0 }
ops: { port: 0, api: { enabled: true } }
connections:${connectionYaml("orders", port, polling)}${connectionYaml("mails", silent.port, polling)}
signals:${signalYaml("orders")}${signalYaml("mails")}`;
    server = await SpawnedServer.start({
      // The delay of the file is none: the flag wins. The ports are those of the file.
      flags: [
        ...["--standalone", "--config", write("standalone.yaml", configuration)],
        ...["--shutdown-delay-seconds", "60"],
      ],
      environment: environment(),
    });
  });
  afterAll(async () => {
    await server.stop();
    await silent.stop();
    await later?.stop();
  });

  test("is ready once every query has had an outcome, and a failure is one", async () => {
    const startedMs = performance.now();
    expect((await server.ops("/readyz?verbose")).body).toContain("[-]first-poll failed");
    await expectReady(server);
    // A query that is never answered ends with its timeout, well before readiness gives up waiting.
    expect(performance.now() - startedMs).toBeLessThan(8_000);
    const { body } = await server.ops("/readyz?verbose");
    expect(body).toContain("[+]first-poll ok\n");
    expect(body).not.toContain("authn-config");
  });

  test("answers 503 with the source's reason, and recovers by itself when Redis comes", async () => {
    const gone = await server.api({ path: ordersPath });
    const { message } = JSON.parse(gone.body) as { readonly message: string };
    expect(message).toMatch(/connection "orders": queue "orders": .*\(ECONNREFUSED\)/u);
    expect(gone.code).toBe(503);
    expect(gone.body).toBe(statusBody(503, "ServiceUnavailable", message));
    expect(server.logged("Poll failed")).toContainEqual(
      expect.objectContaining({ connection: "orders", outcome: "Unavailable" }),
    );

    later = await startRedisServer({ port });
    await addJobs(port, 5);
    await vi.waitFor(
      async () => {
        const reply = await server.api({ path: ordersPath });
        expect(reply.code, reply.body).toBe(200);
        expect(valueOf(reply.body)).toBe("5");
      },
      { timeout: 15_000, interval: 50 },
    );
    expect(await server.api({ path: `${base}/namespaces/shop/mails` })).toMatchObject({
      code: 503,
    });
  });

  test("shows signals under any host's name when the file says so", async () => {
    const reply = await server.ops("/api/v1/signals", { Host: "leadline.example" });
    expect(reply.code).toBe(200);
    const { items } = JSON.parse(reply.body) as { readonly items: readonly unknown[] };
    expect(items).toMatchObject([{ name: "orders" }, { name: "mails", status: "unavailable" }]);
  });

  test("a second SIGINT ends it at once with 130, however long the delay is", async () => {
    expect(await signalTwice(server, "SIGINT")).toBeLessThan(2_000);
    expect(await server.ended).toMatchObject({ code: 130, signal: null });
  });
});

describe("a process that cannot start ends and says why", () => {
  let good: string;
  beforeAll(() => {
    good = write("good.yaml", ordersYaml(redis.port));
  });
  async function ending(...flags: readonly string[]): Promise<Ending> {
    const server = new SpawnedServer({ flags, environment: environment() });
    const ended = await server.ended;
    expect(ended.signal).toBeNull();
    return ended;
  }
  const local = (...flags: readonly string[]): readonly string[] => [
    ...["--config", good, "--bind-address", "127.0.0.1", "--ops-bind-address", "127.0.0.1"],
    ...flags,
  ];

  test("a port that is taken: 1, with the port", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const port = String((holder.address() as AddressInfo).port);
    const standalone = local("--standalone");
    const [secure, ops] = await Promise.all([
      ending(...standalone, "--secure-port", port, "--ops-port", "0"),
      ending(...standalone, "--secure-port", "0", "--ops-port", port),
    ]);
    holder.close();
    for (const { code, stderr } of [secure, ops]) {
      expect(stderr).toMatch(new RegExp(String.raw`\b${port}\b`, "u"));
      expect(code).toBe(1);
    }
    expect(ops.stderr).toContain("ops port");
  });

  test("a certificate that cannot be used or read: 1, with the file", async () => {
    const garbage = write("garbage.crt", "garbage");
    const absent = join(folder, "absent.crt");
    const key = write("some.key", (await servingPair()).privateKeyPem);
    const endings = await Promise.all(
      [garbage, absent].map((file) =>
        ending(
          ...local("--standalone", "--secure-port", "0", "--ops-port", "0"),
          ...["--tls-cert-file", file, "--tls-private-key-file", key],
        ),
      ),
    );
    expect(endings.map(({ code }) => code)).toEqual([1, 1]);
    expect(endings[0]?.stderr).toContain(`${garbage}: no certificate found
`);
    expect(endings[1]?.stderr).toContain(`${absent}: ENOENT
`);
  });

  test("no certificate in a cluster: 1, with the flags", async () => {
    const { code, stderr } = await ending(...local("--secure-port", "0", "--ops-port", "0"));
    expect(stderr).toContain("--tls-cert-file");
    expect(stderr).toContain("--tls-private-key-file");
    expect(code).toBe(1);
  });

  test("an unknown flag: 2, with the flag", async () => {
    const { code, stderr } = await ending(...local("--standalone", "--sercure-port", "0"));
    expect(stderr).toContain("--sercure-port");
    expect(code).toBe(2);
  });

  test("a bad configuration: 1, each finding with file, line and column", async () => {
    const bad = `connections: []\nsignals: 7\nqueues: []\n`;
    const file = write("bad.yaml", bad);
    const { code, stderr } = await ending("--standalone", "--config", file);
    const lines = stderr.trimEnd().split("\n");
    expect(lines).toHaveLength(2);
    expect(lines).toEqual([
      expect.stringMatching(/bad\.yaml:2:10 signals: /u),
      expect.stringMatching(/bad\.yaml:3:1 queues: unknown key/u),
    ]);
    expect(stderr.startsWith(`${file}:2:10 `)).toBe(true);
    expect(code).toBe(1);
  });

  test("standalone beyond loopback: 1, with the flag and the address", async () => {
    const flags = ["--standalone", "--config", good, "--secure-port", "0", "--ops-port", "0"];
    const { code, stderr, stdout } = await ending(
      ...flags,
      ...["--bind-address", "0.0.0.0", "--ops-bind-address", "0.0.0.0"],
    );
    expect(stderr).toMatch(/--standalone .* --bind-address is 0\.0\.0\.0;/u);
    expect(stderr).toMatch(/--standalone .* --ops-bind-address is 0\.0\.0\.0;/u);
    expect(stdout).not.toContain('"msg":"Serving');
    expect(code).toBe(1);
  });
});

/** Names of metrics as the source writes them; what Node.js and the process show of themselves is named elsewhere. */
function declaredMetrics(): readonly string[] {
  const source = fileURLToPath(new URL("../../src/", import.meta.url));
  const files = readdirSync(source, { recursive: true, encoding: "utf8" });
  return files
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) => [
      ...readFileSync(join(source, file), "utf8").matchAll(/"((?:leadline|apiserver)_[a-z_]+)"/gu),
    ])
    .flatMap(([, name]) => (name === undefined ? [] : [name]));
}

/** Samples of the text format by name and labels as they are written. */
function samplesOf(text: string): ReadonlyMap<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const end = line.lastIndexOf(" ");
      return [line.slice(0, end), Number(line.slice(end + 1))];
    }),
  );
}
