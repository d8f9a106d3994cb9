import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Cluster } from "./cluster.ts";
import { applyOverlay, repositoryRoot } from "./overlay.ts";

const folder = "deploy/examples/bullmq";
const exampleRedisUrl = "redis://redis.thumbnails.svc:6379/0";

/** Names that the example uses. */
export const example = {
  namespace: "thumbnails",
  deployment: "thumbnailer",
  horizontalPodAutoscaler: "thumbnailer",
  podSelector: "app.kubernetes.io/name=thumbnailer",
  metric: "thumbnails",
  queue: "thumbnails",
} as const;

/** The example's own leadline.yaml, with nothing changed but Redis' address. */
export async function exampleConfiguration(redisUrl = exampleRedisUrl): Promise<string> {
  const text = await readFile(join(repositoryRoot, folder, "leadline.yaml"), "utf8");
  const parts = text.split(exampleRedisUrl);
  if (parts.length !== 2)
    throw new Error(`${folder}/leadline.yaml names ${exampleRedisUrl} not once`);
  return parts.join(redisUrl);
}

/** Applies the example's Deployment and HPA, with nothing changed but how long the HPA waits before it scales down. */
export async function applyExample(
  cluster: Cluster,
  scaleDownWindowSeconds: number,
): Promise<void> {
  await applyOverlay(cluster, folder, [
    {
      kind: "HorizontalPodAutoscaler",
      name: example.horizontalPodAutoscaler,
      operations: [
        {
          op: "replace",
          path: "/spec/behavior/scaleDown/stabilizationWindowSeconds",
          value: scaleDownWindowSeconds,
        },
      ],
    },
  ]);
}

/** How many replicas the Deployment is told to have, has, and has ready. */
export interface Replicas {
  readonly wanted: number;
  readonly existing: number;
  readonly ready: number;
}

interface Deployment {
  readonly spec: { readonly replicas: number };
  readonly status: { readonly replicas?: number; readonly readyReplicas?: number };
}

/** Reads the example's Deployment. Kubernetes leaves counts of zero out of its status. */
export async function exampleReplicas(cluster: Cluster): Promise<Replicas> {
  const path = `/apis/apps/v1/namespaces/${example.namespace}/deployments/${example.deployment}`;
  const { spec, status } = await cluster.admin.get<Deployment>(path);
  return {
    wanted: spec.replicas,
    existing: status.replicas ?? 0,
    ready: status.readyReplicas ?? 0,
  };
}
