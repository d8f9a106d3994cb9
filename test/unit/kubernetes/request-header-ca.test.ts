import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createKubernetesClient } from "../../../src/kubernetes/client.ts";
import type { KubernetesClient } from "../../../src/kubernetes/client.ts";
import { AuthenticationConfigWatcher } from "../../../src/kubernetes/request-header-ca.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import type { Clock } from "../../../src/runtime/clock.ts";
import { FakeKubeApi } from "../../fakes/fake-kube-api.ts";
import type { LoggedLine } from "../../fakes/recording-logger.ts";
import { recordingLogger } from "../../fakes/recording-logger.ts";
import { until } from "../../fakes/until.ts";

/** Real time, but no pause is longer than a moment. */
const hastyClock: Clock = {
  ...systemClock,
  sleep: (delayMs, signal) => systemClock.sleep(Math.min(delayMs, 10), signal),
};

let api: FakeKubeApi;
let folder: string;
let client: KubernetesClient;
let watcher: AuthenticationConfigWatcher;
let lines: LoggedLine[];

beforeEach(async () => {
  api = await FakeKubeApi.create();
  await api.start();
  folder = await mkdtemp(join(tmpdir(), "leadline-watcher-"));
  const kubeconfigPath = join(folder, "config");
  await writeFile(kubeconfigPath, api.kubeconfig());
  const recording = recordingLogger();
  lines = recording.lines;
  const shared = { clock: hastyClock, random: () => 0, logger: recording.logger };
  client = await createKubernetesClient({
    kubeconfigPath,
    environment: {},
    version: "0",
    ...shared,
  });
  watcher = new AuthenticationConfigWatcher({ client, ...shared });
});
afterEach(async () => {
  await watcher.stop();
  client.close();
  await api.stop();
  await rm(folder, { recursive: true });
});

const start = () => watcher.start(new AbortController().signal);
const names = () => watcher.current()?.requestHeader.allowedNames;
const watched = () => until(() => api.openWatches === 1, "the object is watched");
const data = (allowedNames: string) => ({
  "requestheader-client-ca-file": api.certificatePem,
  "requestheader-allowed-names": allowedNames,
  "requestheader-username-headers": '["X-Remote-User"]',
});

test("reads every key, and an absent one is empty", async () => {
  api.setConfigMap(data('["front-proxy-client"]'));
  await start();
  await watched();
  expect(watcher.current()).toEqual({
    generation: 1,
    clientCaPem: "",
    requestHeader: {
      clientCaPem: api.certificatePem,
      allowedNames: ["front-proxy-client"],
      usernameHeaders: ["X-Remote-User"],
      uidHeaders: [],
      groupHeaders: [],
      extraHeaderPrefixes: [],
    },
  });
});

test("a change is told, a repetition is not", async () => {
  api.setConfigMap(data('["a"]'));
  await start();
  await watched();
  const told: number[] = [];
  watcher.subscribe(({ generation }) => told.push(generation));
  api.setConfigMap(data('["a"]'));
  api.setConfigMap(data('["b"]'));
  await until(() => told.length > 0, "the change is told");
  expect({ told, names: names() }).toEqual({ told: [2], names: ["b"] });
});

describe("readiness", () => {
  test("red while the cluster is away, without giving up; green with the first answer", async () => {
    api.setConfigMap(data('["a"]'));
    await api.stop();
    await start();
    expect(watcher.check.run()).toEqual({ status: "failed", reason: "not read yet" });
    await until(() => lines.length > 0, "the failure is logged");
    expect(watcher.check.run()).toEqual({
      status: "failed",
      reason: "GET /api/v1/namespaces/kube-system/configmaps: ECONNREFUSED",
    });
    await api.start();
    await until(() => watcher.check.run().status === "ok", "the check is green");
    expect(lines.filter(({ msg }) => msg === "Authentication configuration not read")).toHaveLength(
      1,
    );
  });

  test("green when there is definitely no such object; taken over when it comes", async () => {
    await start();
    await watched();
    expect(watcher.check.run()).toEqual({ status: "ok" });
    expect(watcher.current()?.requestHeader.clientCaPem).toBe("");
    api.setConfigMap(data('["a"]'));
    await until(() => names()?.[0] === "a", "the new object is read");
  });

  test("red while the rights are missing", async () => {
    api.setConfigMap(data('["a"]'));
    api.callers.clear();
    await start();
    await until(() => lines.length > 0, "the failure is logged");
    expect(watcher.check.run()).toEqual({
      status: "failed",
      reason: "GET /api/v1/namespaces/kube-system/configmaps: 401 Unauthorized",
    });
  });

  test("stays green with the last configuration when the cluster goes away later", async () => {
    api.setConfigMap(data('["a"]'));
    await start();
    await watched();
    await api.stop();
    await until(
      () => lines.some(({ msg }) => msg === "Authentication configuration not read"),
      "it is noticed",
    );
    expect({ check: watcher.check.run(), names: names() }).toEqual({
      check: { status: "ok" },
      names: ["a"],
    });
    api.setConfigMap(data('["b"]'));
    await api.start();
    await until(() => names()?.[0] === "b", "the change meanwhile is seen");
  });
});

describe("what cannot be used keeps the last good configuration", () => {
  const cases = [
    {
      title: "malformed JSON",
      bad: { "requestheader-allowed-names": "[" },
      message: "requestheader-allowed-names: not a JSON array of strings",
    },
    {
      title: "not a list",
      bad: { "requestheader-group-headers": '"X"' },
      message: "requestheader-group-headers: not a JSON array of strings",
    },
    {
      title: "not strings",
      bad: { "requestheader-uid-headers": "[1]" },
      message: "requestheader-uid-headers: not a JSON array of strings",
    },
    {
      title: "no certificate",
      bad: { "client-ca-file": "none" },
      message: "client-ca-file: no certificate found",
    },
    {
      title: "a broken certificate",
      bad: { "client-ca-file": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----" },
      message: "client-ca-file: certificate 1 cannot be read",
    },
  ];
  test.each(cases)("$title", async ({ bad, message }) => {
    api.setConfigMap(data('["a"]'));
    await start();
    await watched();
    api.setConfigMap({ ...data('["b"]'), ...bad });
    // The logger adds the causes' messages to the error's own.
    const isLogged = () =>
      lines.some(({ err }) => (err as Error | undefined)?.message.startsWith(message));
    await until(isLogged, "it is logged");
    expect(names()).toEqual(["a"]);
    api.setConfigMap(data('["c"]'));
    await until(() => names()?.[0] === "c", "the next good one is read");
  });

  test("deletion", async () => {
    api.setConfigMap(data('["a"]'));
    await start();
    await watched();
    api.setConfigMap(undefined);
    await until(() => lines.some(({ msg }) => msg.includes("is gone")), "it is logged");
    expect(names()).toEqual(["a"]);
  });

  test("a first object that cannot be used is red", async () => {
    api.setConfigMap(data("["));
    await start();
    await watched();
    expect(watcher.check.run()).toEqual({
      status: "failed",
      reason: "requestheader-allowed-names: not a JSON array of strings",
    });
  });
});

describe("a watch that ends", () => {
  const lines410 = `${JSON.stringify({ type: "ERROR", object: { kind: "Status", code: 410 } })}\n`;
  const cases = [
    { title: "by the server", end: () => api.endWatches() },
    { title: "with an error event", end: () => api.sendLine(lines410) },
    { title: "with garbage", end: () => api.sendLine("<html>\n") },
    {
      title: "with an unknown event that is ignored",
      end: () => {
        api.sendLine(`${JSON.stringify({ type: "BOOKMARK", object: {} })}\n`);
        api.endWatches();
      },
    },
  ];
  test.each(cases)("$title: is begun again with a new list", async ({ end }) => {
    api.setConfigMap(data('["a"]'));
    await start();
    await watched();
    const before = api.count("configMap");
    end();
    await until(
      () => api.count("configMap") > before && api.openWatches === 1,
      "it is watched again",
    );
    api.setConfigMap(data('["b"]'));
    await until(() => names()?.[0] === "b", "changes are seen");
  });
});

test("stops twice without harm and leaves no watch behind", async () => {
  api.setConfigMap(data('["a"]'));
  await start();
  await watched();
  await watcher.stop();
  await watcher.stop();
  await until(() => api.openWatches === 0, "the watch is closed");
});
