import { ApiClient } from "./api-client.ts";
import { freePort } from "./free-port.ts";
import { ManagedProcess } from "./managed-process.ts";
import type { Workspace } from "./workspace.ts";
import { fileIn, logOf } from "./workspace.ts";

/** A kube-apiserver that is coming up. */
export interface KubeApiserver {
  readonly process: ManagedProcess;
  /** Base URL. */
  readonly url: string;
  /** Resolves when `/readyz` is green. */
  untilReady(): Promise<void>;
  stop(): Promise<unknown>;
}

/**
 * Starts kube-apiserver with RBAC and the aggregation layer.
 *
 * Aggregator routing stays off, so that a Service of type ExternalName can lead to a process of this machine.
 */
export async function startKubeApiserver(
  workspace: Workspace,
  etcdUrl: string,
): Promise<KubeApiserver> {
  const port = await freePort();
  const url = `https://127.0.0.1:${port}`;
  const file = (name: string): string => fileIn(workspace, name);
  const process = new ManagedProcess({
    name: "kube-apiserver",
    command: workspace.binaries.kubeApiserver,
    args: [
      `--etcd-servers=${etcdUrl}`,
      "--bind-address=127.0.0.1",
      `--secure-port=${port}`,
      "--service-cluster-ip-range=10.96.0.0/24",
      // Loopback is refused as an endpoint, and nothing here needs the `kubernetes` Service.
      "--endpoint-reconciler-type=none",
      "--authorization-mode=RBAC",
      "--feature-gates=HPAScaleToZero=true",
      // Nobody runs the node lifecycle controller, which would take the not-ready taint away.
      "--disable-admission-plugins=TaintNodesByCondition",
      `--tls-cert-file=${file("apiserver.crt")}`,
      `--tls-private-key-file=${file("apiserver.key")}`,
      `--client-ca-file=${file("client-ca.crt")}`,
      `--requestheader-client-ca-file=${file("front-proxy-ca.crt")}`,
      "--requestheader-allowed-names=front-proxy-client",
      "--requestheader-username-headers=X-Remote-User",
      "--requestheader-group-headers=X-Remote-Group",
      "--requestheader-uid-headers=X-Remote-Uid",
      "--requestheader-extra-headers-prefix=X-Remote-Extra-",
      `--proxy-client-cert-file=${file("front-proxy.crt")}`,
      `--proxy-client-key-file=${file("front-proxy.key")}`,
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-key-file=${file("service-account.pub")}`,
      `--service-account-signing-key-file=${file("service-account.key")}`,
    ],
    logFile: logOf(workspace, "kube-apiserver"),
  });
  const client = new ApiClient({
    server: url,
    authorityPem: workspace.certificates.servingAuthorityPem,
    credentials: workspace.certificates.admin,
  });
  const isReady = async (): Promise<boolean> => {
    const response = await client.send({ path: "/readyz", timeoutMs: 2_000 });
    return response.status === 200;
  };
  return {
    process,
    url,
    untilReady: async () => {
      await process.untilReady(isReady, 60_000);
      await client.stop();
    },
    stop: () => process.stop(10_000),
  };
}
