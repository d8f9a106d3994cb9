import { join } from "node:path";
import { ApiClient } from "./control-plane/api-client.ts";
import type { ControlPlaneAddress } from "./control-plane/control-plane.ts";
import { createDirectory, removeUnlessKept } from "./control-plane/directory.ts";
import type { Kubectl } from "./control-plane/kubectl.ts";
import { createKubectl } from "./control-plane/kubectl.ts";
import type { Credentials } from "./control-plane/kubeconfig.ts";

/** One test file's view of the shared control plane, with a folder of its own. */
export interface Cluster {
  readonly address: ControlPlaneAddress;
  /** Temporary; removed by stop. */
  readonly directory: string;
  /** kubectl of the user who may do everything. */
  readonly kubectl: Kubectl;
  /** Requests of that user. */
  readonly admin: ApiClient;
  /** Requests of another user to kube-apiserver. */
  clientOf(credentials: Credentials | undefined): ApiClient;
  /** A token of a ServiceAccount, valid for an hour. */
  tokenOf(namespace: string, serviceAccount: string): Promise<string>;
  stop(): Promise<void>;
}

/** Opens the control plane for one test file. */
export async function openCluster(address: ControlPlaneAddress): Promise<Cluster> {
  const directory = await createDirectory("test");
  const kubectl = createKubectl(
    address.kubectlBinary,
    address.adminKubeconfig,
    join(directory, "kubectl-cache"),
  );
  const clients: ApiClient[] = [];
  const clientOf = (credentials: Credentials | undefined): ApiClient => {
    const client = new ApiClient({
      server: address.server,
      authorityPem: address.certificates.servingAuthorityPem,
      ...(credentials === undefined ? {} : { credentials }),
    });
    clients.push(client);
    return client;
  };
  return {
    address,
    directory,
    kubectl,
    admin: clientOf(address.certificates.admin),
    clientOf,
    tokenOf: async (namespace, serviceAccount) => {
      const args = ["create", "token", serviceAccount, "-n", namespace, "--duration=1h"];
      return (await kubectl.run(args)).trim();
    },
    stop: async () => {
      await Promise.all(clients.map(async (client) => client.stop()));
      await removeUnlessKept(directory);
    },
  };
}
