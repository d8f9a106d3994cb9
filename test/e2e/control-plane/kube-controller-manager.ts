import { freePort } from "./free-port.ts";
import { untilHealthy } from "./until-healthy.ts";
import { ManagedProcess } from "./managed-process.ts";
import type { Workspace } from "./workspace.ts";
import { fileIn, logOf } from "./workspace.ts";

const controllers = [
  "clusterrole-aggregation-controller",
  "deployment-controller",
  "garbage-collector-controller",
  "horizontal-pod-autoscaler-controller",
  "namespace-controller",
  "replicaset-controller",
  "root-ca-certificate-publisher-controller",
  "serviceaccount-controller",
];

/** The HPA controller's clockwork. */
export interface KubeControllerManagerOptions {
  readonly kubeconfig: string;
  /** How often each HPA is looked at; upstream's default is 15 s. */
  readonly horizontalPodAutoscalerSyncSeconds: number;
}

/** Starts kube-controller-manager with the controllers that scaling needs; resolves when it is healthy. */
export async function startKubeControllerManager(
  workspace: Workspace,
  options: KubeControllerManagerOptions,
): Promise<ManagedProcess> {
  const port = await freePort();
  const process = new ManagedProcess({
    name: "kube-controller-manager",
    command: workspace.binaries.kubeControllerManager,
    args: [
      `--kubeconfig=${options.kubeconfig}`,
      `--controllers=${controllers.join(",")}`,
      "--leader-elect=false",
      // Each controller comes as its own ServiceAccount, as in real clusters.
      "--use-service-account-credentials",
      "--feature-gates=HPAScaleToZero=true",
      `--horizontal-pod-autoscaler-sync-period=${options.horizontalPodAutoscalerSyncSeconds}s`,
      "--horizontal-pod-autoscaler-downscale-stabilization=0s",
      "--horizontal-pod-autoscaler-initial-readiness-delay=1s",
      `--root-ca-file=${fileIn(workspace, "serving-ca.crt")}`,
      "--bind-address=127.0.0.1",
      `--secure-port=${port}`,
      `--tls-cert-file=${fileIn(workspace, "controllers.crt")}`,
      `--tls-private-key-file=${fileIn(workspace, "controllers.key")}`,
    ],
    logFile: logOf(workspace, "kube-controller-manager"),
  });
  return untilHealthy(process, workspace, port);
}
