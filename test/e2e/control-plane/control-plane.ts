import { ApiClient } from "./api-client.ts";
import { findBinaries } from "./binaries.ts";
import type { Certificates } from "./certificates.ts";
import { createCertificates } from "./certificates.ts";
import { startEtcd } from "./etcd.ts";
import { startKubeApiserver } from "./kube-apiserver.ts";
import { startKubeControllerManager } from "./kube-controller-manager.ts";
import { startKubeScheduler } from "./kube-scheduler.ts";
import { writeKubeconfig } from "./kubeconfig.ts";
import { startKwok } from "./kwok.ts";
import { createDirectory, removeUnlessKept } from "./directory.ts";
import { StopStack } from "./stop-stack.ts";
import { waitFor } from "./wait-for.ts";
import type { Workspace } from "./workspace.ts";
import { fileIn, writeWorkspace } from "./workspace.ts";

/** How the control plane behaves. */
export interface ControlPlaneOptions {
  /** How often each HPA is looked at. Default 2 s. */
  readonly horizontalPodAutoscalerSyncSeconds?: number;
  /** Time from a pod being scheduled to its being Ready. Default 500 ms. */
  readonly podReadyDelayMs?: number;
  /** Fake nodes. Default 2. */
  readonly nodes?: number;
}

/** What a test needs to use a control plane that runs elsewhere. Plain data. */
export interface ControlPlaneAddress {
  /** Holds certificates, kubeconfigs and logs. */
  readonly directory: string;
  /** kube-apiserver's base URL. */
  readonly server: string;
  /** Of the user who may do everything. */
  readonly adminKubeconfig: string;
  readonly kubectlBinary: string;
  readonly certificates: Certificates;
}

/** A running control plane. */
export interface ControlPlane {
  readonly address: ControlPlaneAddress;
  /** Stops all processes in reverse order and removes the folder. */
  stop(): Promise<void>;
}

function node(index: number): object {
  const name = `node-${index}`;
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels: { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux" } },
  };
}

/** Creates the fake nodes and waits until kwok has made them ready and the ServiceAccount of `default` is there. */
async function populate(admin: ApiClient, nodes: number): Promise<void> {
  for (let index = 1; index <= nodes; index += 1) {
    const created = await admin.send({
      method: "POST",
      path: "/api/v1/nodes",
      body: node(index),
    });
    if (created.status !== 201) throw new Error(`node ${index} not created: ${created.text}`);
  }
  await waitFor(
    `${nodes} nodes are ready`,
    async () => {
      const list = await admin.get<NodeList>("/api/v1/nodes");
      const ready = list.items.filter(({ status }) =>
        status.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True"),
      );
      return { met: ready.length === nodes, seen: list.items };
    },
    20_000,
  );
  await waitFor(
    "the default ServiceAccount exists",
    async () => {
      const found = await admin.send({
        path: "/api/v1/namespaces/default/serviceaccounts/default",
      });
      return { met: found.status === 200, seen: found.text };
    },
    20_000,
  );
}

interface NodeList {
  readonly items: readonly {
    readonly status: {
      readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    };
  }[];
}

async function start(
  workspace: Workspace,
  options: ControlPlaneOptions,
  stack: StopStack,
): Promise<ControlPlaneAddress> {
  await writeWorkspace(workspace);
  const etcd = stack.add(await startEtcd(workspace));
  const apiServer = stack.add(await startKubeApiserver(workspace, etcd.url));
  const { certificates } = workspace;
  const authorityPem = certificates.servingAuthorityPem;
  const credentials = certificates.admin;
  const adminKubeconfig = await writeKubeconfig(fileIn(workspace, "admin.kubeconfig"), {
    server: apiServer.url,
    authorityPem,
    credentials,
  });
  await apiServer.untilReady();
  const started = await Promise.allSettled([
    startKubeControllerManager(workspace, {
      kubeconfig: adminKubeconfig,
      horizontalPodAutoscalerSyncSeconds: options.horizontalPodAutoscalerSyncSeconds ?? 2,
    }),
    startKubeScheduler(workspace, adminKubeconfig),
    startKwok(workspace, {
      kubeconfig: adminKubeconfig,
      podReadyDelayMs: options.podReadyDelayMs ?? 500,
    }),
  ]);
  const failures: unknown[] = [];
  for (const outcome of started) {
    if (outcome.status === "fulfilled") stack.add(outcome.value);
    else failures.push(outcome.reason);
  }
  if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join("; "));
  const admin = new ApiClient({ server: apiServer.url, authorityPem, credentials });
  await populate(admin, options.nodes ?? 2);
  await admin.stop();
  return {
    directory: workspace.directory,
    server: apiServer.url,
    adminKubeconfig,
    kubectlBinary: workspace.binaries.kubectl,
    certificates,
  };
}

/**
 * Starts etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok on free ports of 127.0.0.1.
 *
 * Resolves when all are healthy and the fake nodes are ready. A start that fails stops what it had started, keeps the
 * folder with the logs and names the component.
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const binaries = await findBinaries();
  const directory = await createDirectory("control-plane");
  const workspace = { directory, binaries, certificates: await createCertificates() };
  const stack = new StopStack();
  try {
    const address = await start(workspace, options, stack);
    return {
      address,
      stop: async () => {
        await stack.stop();
        await removeUnlessKept(directory);
      },
    };
  } catch (reason) {
    await stack.stop();
    throw new Error(`the control plane did not start (logs: ${directory}/logs)`, { cause: reason });
  }
}
