import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { Cluster } from "./cluster.ts";
import { openCluster } from "./cluster.ts";
import type { Kubectl } from "./control-plane/kubectl.ts";
import { ManagedProcess } from "./control-plane/managed-process.ts";
import { waitFor } from "./control-plane/wait-for.ts";

let cluster: Cluster;
let kubectl: Kubectl;

beforeAll(async () => {
  cluster = await openCluster(inject("controlPlane"));
  ({ kubectl } = cluster);
});

afterAll(async () => {
  await cluster.stop();
});

describe("the control plane of these tests", () => {
  test("runs the release that the tests name", async () => {
    const { serverVersion } = JSON.parse(await kubectl.run(["version", "-o", "json"])) as {
      serverVersion: { gitVersion: string };
    };
    expect(serverVersion.gitVersion).toBe("v1.36.3");
  });

  test("makes the pods of a Deployment Ready and takes them away again", async () => {
    await kubectl.run(["create", "deployment", "probe", "--image=example", "--replicas=3"]);
    const readyReplicas = async (): Promise<string> =>
      kubectl.run(["get", "deployment", "probe", "-o", "jsonpath={.status.readyReplicas}"]);
    await waitFor(
      "3 pods are Ready",
      async () => {
        const seen = await readyReplicas();
        return { met: seen === "3", seen };
      },
      20_000,
    );
    await kubectl.run(["delete", "deployment", "probe"]);
    await waitFor(
      "no pod is left",
      async () => {
        const seen = await kubectl.run(["get", "pods", "-l", "app=probe", "-o", "name"]);
        return { met: seen === "", seen };
      },
      20_000,
    );
  });
});

describe("a process of these tests", () => {
  test("that ends before it is ready fails the start with its last words", async () => {
    const process_ = new ManagedProcess({
      name: "broken",
      command: process.execPath,
      args: ["-e", "console.error('no such flag'); process.exit(3)"],
      logFile: join(cluster.directory, "broken.log"),
    });
    await expect(process_.untilReady(() => Promise.resolve(false), 10_000)).rejects.toThrow(
      /broken ended before it was ready \(exit code 3, signal null\): no such flag/,
    );
  });

  test("that ignores SIGTERM is killed when its time is over", async () => {
    const stubborn = new ManagedProcess({
      name: "stubborn",
      command: process.execPath,
      args: [
        "-e",
        "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('up')",
      ],
      logFile: join(cluster.directory, "stubborn.log"),
    });
    await stubborn.untilReady(async () => (await stubborn.output()).includes("up"), 10_000);
    expect(await stubborn.stop(300)).toEqual({ code: null, signal: "SIGKILL" });
  });
});
