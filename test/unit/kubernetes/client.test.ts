import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createKubernetesClient } from "../../../src/kubernetes/client.ts";
import type { KubernetesClient, KubernetesClientOptions } from "../../../src/kubernetes/client.ts";
import { createTokenReviewer } from "../../../src/kubernetes/token-review.ts";
import type { Clock } from "../../../src/runtime/clock.ts";
import { FakeClock } from "../../fakes/fake-clock.ts";
import { FakeKubeApi } from "../../fakes/fake-kube-api.ts";
import type { Fault } from "../../fakes/fake-kube-api.ts";
import { recordingLogger } from "../../fakes/recording-logger.ts";
import { until } from "../../fakes/until.ts";

let api: FakeKubeApi;
let folder: string;
let clock: FakeClock;
const clients: KubernetesClient[] = [];

beforeEach(async () => {
  api = await FakeKubeApi.create();
  await api.start();
  api.users.set("good", { username: "jane", groups: ["a"], extra: { k: ["v"] } });
  folder = await mkdtemp(join(tmpdir(), "leadline-client-"));
  clock = new FakeClock(Date.now());
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await api.stop();
  await rm(folder, { recursive: true });
});

async function open(rest: Partial<KubernetesClientOptions> = {}): Promise<KubernetesClient> {
  const { logger } = recordingLogger();
  const base = {
    environment: {},
    version: "1.2.3",
    clock: clock as Clock,
    random: () => 0,
    logger,
  };
  const client = await createKubernetesClient({ ...base, ...rest });
  clients.push(client);
  return client;
}

async function openWithKubeconfig(user?: Record<string, unknown>): Promise<KubernetesClient> {
  const kubeconfigPath = join(folder, "config");
  await writeFile(kubeconfigPath, api.kubeconfig(user));
  return open({ kubeconfigPath });
}

/** Lets fake time pass until the call is over. */
async function settled<T>(call: Promise<T>): Promise<T> {
  const progress = { isOver: false };
  const over = call.finally(() => (progress.isOver = true));
  over.catch(() => undefined);
  while (!progress.isOver) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    if (clock.pendingTimers > 0) await clock.advance(100);
  }
  return over;
}

test("a review is sent as the API wants it and read back", async () => {
  const reviewer = createTokenReviewer(await openWithKubeconfig());
  expect(await reviewer.review("good")).toEqual({
    authenticated: true,
    user: { username: "jane", groups: ["a"], extra: { k: ["v"] } },
  });
  expect(await reviewer.review("bad")).toEqual({
    authenticated: false,
    user: { username: "" },
    error: "[invalid bearer token]",
  });
  expect(api.calls[0]?.spec).toEqual({ token: "good" });
  expect(api.calls[0]?.headers["user-agent"]).toBe("leadline/1.2.3");
  expect(clock.pendingTimers).toBe(0);
});

describe("retries", () => {
  const transient: readonly Fault[] = ["500", "429", "reset"];
  test.each(transient)("%s four times, then an answer", async (fault) => {
    const reviewer = createTokenReviewer(await openWithKubeconfig());
    api.fail("tokenReview", fault, 4);
    expect((await settled(reviewer.review("good"))).authenticated).toBe(true);
    expect(api.count("tokenReview")).toBe(5);
  });

  test("the fifth failure is final, and names what was asked", async () => {
    const reviewer = createTokenReviewer(await openWithKubeconfig());
    api.fail("tokenReview", "500");
    await expect(settled(reviewer.review("good"))).rejects.toMatchObject({
      code: "Rejected",
      statusCode: 500,
      message: "POST /apis/authentication.k8s.io/v1/tokenreviews: 500 etcd is away",
    });
    expect(api.count("tokenReview")).toBe(5);
  });

  test("waits 0.5 s, growing by half", async () => {
    const reviewer = createTokenReviewer(await openWithKubeconfig());
    api.fail("tokenReview", "429");
    const startMs = clock.monotonic();
    await expect(settled(reviewer.review("good"))).rejects.toThrow("429");
    const waitedMs = clock.monotonic() - startMs;
    expect(waitedMs).toBeGreaterThanOrEqual(500 + 750 + 1_125 + 1_687.5);
    expect(waitedMs).toBeLessThan(8_000);
  });

  test("a server that hangs is given up after 10 s and not asked again", async () => {
    const reviewer = createTokenReviewer(await openWithKubeconfig());
    api.fail("tokenReview", "hang");
    const review = reviewer.review("good");
    const rejected = expect(review).rejects.toMatchObject({ code: "Timeout" });
    await until(() => api.count("tokenReview") === 1, "the server is asked");
    await clock.advance(10_000);
    await rejected;
    expect(api.count("tokenReview")).toBe(1);
  });

  test("an answer that is not a review is malformed and not asked for again", async () => {
    const reviewer = createTokenReviewer(await openWithKubeconfig());
    api.fail("tokenReview", "garbage");
    await expect(reviewer.review("good")).rejects.toMatchObject({ code: "Malformed" });
    expect(api.count("tokenReview")).toBe(1);
  });

  test("a server that is not there fails at once", async () => {
    const reviewer = createTokenReviewer(await openWithKubeconfig());
    await api.stop();
    await expect(reviewer.review("good")).rejects.toMatchObject({
      code: "Unreachable",
      message: "POST /apis/authentication.k8s.io/v1/tokenreviews: ECONNREFUSED",
    });
  });

  test("a connection that the server closed while idle costs no wait", async () => {
    const reviewer = createTokenReviewer(await openWithKubeconfig());
    await reviewer.review("good");
    await api.stop();
    await api.start();
    expect((await reviewer.review("good")).authenticated).toBe(true);
  });

  test("a server with another certificate is not talked to", async () => {
    const other = await FakeKubeApi.create();
    await other.start();
    const kubeconfigPath = join(folder, "config");
    const ours = Buffer.from(api.certificatePem).toString("base64");
    const theirs = Buffer.from(other.certificatePem).toString("base64");
    await writeFile(kubeconfigPath, other.kubeconfig().replace(theirs, ours));
    const reviewer = createTokenReviewer(await open({ kubeconfigPath }));
    await expect(reviewer.review("good")).rejects.toMatchObject({ code: "Unreachable" });
    expect(other.calls).toEqual([]);
    await other.stop();
  });
});

describe("credentials", () => {
  async function inPod(): Promise<KubernetesClient> {
    await writeFile(join(folder, "ca.crt"), api.certificatePem);
    await writeFile(join(folder, "token"), "leadline-token\n");
    const [, host = "", port = ""] = /^https:\/\/(.*):(\d+)$/u.exec(api.url) ?? [];
    const environment = { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port };
    return open({ environment, serviceAccountDirectory: folder });
  }

  test("in a pod, the ServiceAccount's token is read again every minute", async () => {
    const reviewer = createTokenReviewer(await inPod());
    await reviewer.review("good");
    await writeFile(join(folder, "token"), "second-token");
    api.callers.add("second-token");
    await reviewer.review("good");
    await clock.advance(60_000);
    await reviewer.review("good");
    expect(api.calls.map(({ headers }) => headers.authorization)).toEqual([
      "Bearer leadline-token",
      "Bearer leadline-token",
      "Bearer second-token",
    ]);
  });

  test("a token that the cluster refuses is read again for the next call", async () => {
    const reviewer = createTokenReviewer(await inPod());
    await writeFile(join(folder, "token"), "second-token");
    api.callers.clear();
    api.callers.add("second-token");
    await expect(reviewer.review("good")).rejects.toMatchObject({ statusCode: 401 });
    expect((await reviewer.review("good")).authenticated).toBe(true);
  });

  test("a token file that goes away keeps the last token", async () => {
    const reviewer = createTokenReviewer(await inPod());
    await rm(join(folder, "token"));
    await clock.advance(60_000);
    expect((await reviewer.review("good")).authenticated).toBe(true);
  });

  test("a credential plugin runs once for as long as its token lasts", async () => {
    const counter = join(folder, "runs");
    const expirationTimestamp = new Date(clock.now() + 600_000).toISOString();
    const credential = JSON.stringify({ status: { token: "leadline-token", expirationTimestamp } });
    const script = `require("fs").appendFileSync(${JSON.stringify(counter)}, process.env.EXTRA); console.log(${JSON.stringify(credential)})`;
    const env = [{ name: "EXTRA", value: "x" }];
    const exec = { apiVersion: "v1", command: process.execPath, args: ["-e", script], env };
    const reviewer = createTokenReviewer(await openWithKubeconfig({ exec }));
    const runs = async () => (await import("node:fs/promises")).readFile(counter, "utf8");
    await clock.advance(120_000);
    expect((await reviewer.review("good")).authenticated).toBe(true);
    expect(await runs()).toBe("x");
    await clock.advance(460_000);
    await reviewer.review("good");
    expect(await runs()).toBe("xx");
  });

  const broken = [
    {
      title: "nothing is given",
      environment: {},
      message: "no cluster: give --kubeconfig, run in a pod, or set KUBECONFIG",
    },
    {
      title: "several files",
      environment: { KUBECONFIG: "a:b" },
      message: "KUBECONFIG names several files: give one",
    },
    { title: "a missing file", environment: { KUBECONFIG: "/nowhere/config" }, message: "ENOENT" },
  ];
  test.each(broken)("rejects when $title", async ({ environment, message }) => {
    await expect(open({ environment })).rejects.toThrow(message);
  });

  test("a plugin that fails is named, its output is not shown", async () => {
    const args = ["-e", "console.error('secret'); process.exit(3)"];
    const exec = { apiVersion: "v1", command: process.execPath, args };
    const message = `credential plugin ${JSON.stringify(process.execPath)}: failed with 3`;
    await expect(openWithKubeconfig({ exec })).rejects.toThrow(message);
  });
});
