import { inject } from "vitest";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Kubectl } from "./control-plane/kubectl.ts";
import { createKubectl } from "./control-plane/kubectl.ts";
import { ManagedProcess } from "./control-plane/managed-process.ts";
import { waitFor } from "./control-plane/wait-for.ts";

const controlPlane = inject("controlPlane");
let directory: string;
let kubectl: Kubectl;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "leadline-e2e-harness-"));
  kubectl = createKubectl(
    controlPlane.kubectlBinary,
    controlPlane.adminKubeconfig,
    join(directory, "kubectl-cache"),
  );
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
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
      logFile: join(directory, "broken.log"),
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
      logFile: join(directory, "stubborn.log"),
    });
    await stubborn.untilReady(async () => (await stubborn.output()).includes("up"), 10_000);
    expect(await stubborn.stop(300)).toEqual({ code: null, signal: "SIGKILL" });
  });
});
