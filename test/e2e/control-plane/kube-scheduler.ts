import { freePort } from "./free-port.ts";
import { untilHealthy } from "./until-healthy.ts";
import { ManagedProcess } from "./managed-process.ts";
import type { Workspace } from "./workspace.ts";
import { fileIn, logOf } from "./workspace.ts";

/** Starts kube-scheduler; resolves when it is healthy. */
export async function startKubeScheduler(
  workspace: Workspace,
  kubeconfig: string,
): Promise<ManagedProcess> {
  const port = await freePort();
  const process = new ManagedProcess({
    name: "kube-scheduler",
    command: workspace.binaries.kubeScheduler,
    args: [
      `--kubeconfig=${kubeconfig}`,
      "--leader-elect=false",
      "--bind-address=127.0.0.1",
      `--secure-port=${port}`,
      `--tls-cert-file=${fileIn(workspace, "controllers.crt")}`,
      `--tls-private-key-file=${fileIn(workspace, "controllers.key")}`,
    ],
    logFile: logOf(workspace, "kube-scheduler"),
  });
  return untilHealthy(process, workspace, port);
}
