import { writeFile } from "node:fs/promises";
import { request } from "node:http";
import { stringify } from "yaml";
import { freePort } from "./free-port.ts";
import { ManagedProcess } from "./managed-process.ts";
import type { Workspace } from "./workspace.ts";
import { fileIn, logOf } from "./workspace.ts";

/** What the fake kubelets do. */
export interface KwokOptions {
  readonly kubeconfig: string;
  /** Time from a pod being scheduled to its being Ready. */
  readonly podReadyDelayMs: number;
}

const stage = (name: string, kind: "Node" | "Pod", rest: object): string =>
  stringify({
    apiVersion: "kwok.x-k8s.io/v1alpha1",
    kind: "Stage",
    metadata: { name },
    spec: { resourceRef: { apiGroup: "v1", kind }, ...rest },
  });

const nodeStatus = `
{{ $now := Now }}
conditions:
{{ range NodeConditions }}
- lastHeartbeatTime: {{ $now | Quote }}
  lastTransitionTime: {{ $now | Quote }}
  message: {{ .message | Quote }}
  reason: {{ .reason | Quote }}
  status: {{ .status | Quote }}
  type: {{ .type | Quote }}
{{ end }}
allocatable: { cpu: "1000", memory: 4Ti, pods: "2000" }
capacity: { cpu: "1000", memory: 4Ti, pods: "2000" }
phase: Running
`;

const podStatus = `
{{ $now := Now }}
conditions:
- { type: Initialized, status: "True", lastTransitionTime: {{ $now | Quote }} }
- { type: ContainersReady, status: "True", lastTransitionTime: {{ $now | Quote }} }
- { type: Ready, status: "True", lastTransitionTime: {{ $now | Quote }} }
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  ready: true
  started: true
  restartCount: 0
  state: { running: { startedAt: {{ $now | Quote }} } }
{{ end }}
phase: Running
startTime: {{ $now | Quote }}
`;

const readyStatus = '.status.conditions.[] | select( .type == "Ready" ) | .status';
const notReady = { key: readyStatus, operator: "NotIn", values: ["True"] };
const deleted = ".metadata.deletionTimestamp";

/** Three stages: a node is ready at once, a pod some time after it was scheduled, a deleted pod is gone at once. */
function stages(podReadyDelayMs: number): string {
  return [
    stage("node-ready", "Node", {
      selector: { matchExpressions: [notReady] },
      next: { statusTemplate: nodeStatus },
    }),
    stage("pod-ready", "Pod", {
      selector: { matchExpressions: [{ key: deleted, operator: "DoesNotExist" }, notReady] },
      delay: { durationMilliseconds: podReadyDelayMs },
      next: { statusTemplate: podStatus },
    }),
    stage("pod-gone", "Pod", {
      selector: { matchExpressions: [{ key: deleted, operator: "Exists" }] },
      next: { finalizers: { empty: true }, delete: true },
    }),
  ].join("---\n");
}

async function isLive(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = request(
      { host: "127.0.0.1", port, path: "/healthz", timeout: 2_000 },
      (answer) => {
        answer.resume();
        resolve(answer.statusCode === 200);
      },
    );
    probe.once("timeout", () => probe.destroy());
    probe.once("error", () => resolve(false));
    probe.end();
  });
}

/** Starts kwok, which plays the kubelet of every node; resolves when it is healthy. */
export async function startKwok(
  workspace: Workspace,
  options: KwokOptions,
): Promise<ManagedProcess> {
  const configuration = fileIn(workspace, "kwok.yaml");
  await writeFile(configuration, stages(options.podReadyDelayMs));
  const port = await freePort();
  const process = new ManagedProcess({
    name: "kwok",
    command: workspace.binaries.kwok,
    args: [
      `--kubeconfig=${options.kubeconfig}`,
      "--manage-all-nodes",
      `--config=${configuration}`,
      `--server-address=127.0.0.1:${port}`,
      "--node-lease-duration-seconds=0",
    ],
    logFile: logOf(workspace, "kwok"),
  });
  try {
    await process.untilReady(() => isLive(port), 30_000);
    return process;
  } catch (reason) {
    await process.stop();
    throw reason;
  }
}
