import type { Cluster } from "./cluster.ts";
import { waitFor } from "./control-plane/wait-for.ts";
import { applyOverlay } from "./overlay.ts";

/** Name of the APIService. */
export const apiServiceName = "v1beta1.external.metrics.k8s.io";

/** Path under which kube-apiserver and Leadline serve the group-version. */
export const basePath = "/apis/external.metrics.k8s.io/v1beta1";

/** Path of one metric. */
export function metricPath(namespace: string, metric: string): string {
  return `${basePath}/namespaces/${namespace}/${metric}`;
}

/**
 * Applies `apiservice/`, with the Service leading to a port of this machine.
 *
 * kube-apiserver dials an ExternalName as it is, but asks for and verifies the name `leadline.leadline.svc`.
 */
export async function applyApiService(cluster: Cluster, port: number): Promise<void> {
  const caBundle = Buffer.from(cluster.address.certificates.leadlineAuthorityPem).toString(
    "base64",
  );
  await applyOverlay(cluster, "apiservice", [
    {
      kind: "Service",
      name: "leadline",
      operations: [
        {
          op: "replace",
          path: "/spec",
          value: { type: "ExternalName", externalName: "localhost" },
        },
      ],
    },
    {
      kind: "APIService",
      name: apiServiceName,
      operations: [
        { op: "replace", path: "/spec/service/port", value: port },
        { op: "add", path: "/spec/caBundle", value: caBundle },
      ],
    },
  ]);
}

/** Condition of an object's status. */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

interface ApiService {
  readonly status?: { readonly conditions?: readonly Condition[] };
}

/** Waits until kube-apiserver holds the APIService for available, and returns that condition. */
export async function untilAvailable(cluster: Cluster, timeoutMs = 60_000): Promise<Condition> {
  const path = `/apis/apiregistration.k8s.io/v1/apiservices/${apiServiceName}`;
  const seen = await waitFor(
    "the APIService is Available",
    async () => {
      // Any change of the object makes kube-apiserver check at once instead of after 30 s.
      const poke = `leadline.dev/e2e-poke=${performance.now()}`;
      await cluster.kubectl.run(["annotate", "apiservice", apiServiceName, poke, "--overwrite"]);
      const object = await cluster.admin.get<ApiService>(path);
      const available = object.status?.conditions?.find(({ type }) => type === "Available");
      return { met: available?.status === "True", seen: available };
    },
    timeoutMs,
  );
  if (seen === undefined) throw new Error("unreachable: the condition was met");
  return seen;
}
