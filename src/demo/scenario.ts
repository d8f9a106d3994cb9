import type { HorizontalPodAutoscalerSpec } from "../simulator/hpa-spec.ts";
import type { ArrivalPlan } from "./arrivals.ts";

/** The namespace of the demo's HPA and signal. */
export const demoNamespace = "demo";
/** The BullMQ queue. */
export const demoQueue = "jobs";
/** How long one job takes on average, milliseconds of cluster time. */
export const meanServiceMs = 12_000;

const metricName = "workers";
const maxReplicas = 12;

/** The HPA of the demo: from 0 to 12, default rules upwards, down after one minute without need. The signal counts replicas, so the target is 1. */
export const demoHpa: HorizontalPodAutoscalerSpec = {
  minReplicas: 0,
  maxReplicas,
  metrics: [
    {
      type: "External",
      external: {
        metric: { name: metricName, selector: { matchLabels: { queue: demoQueue } } },
        target: { type: "AverageValue", averageValue: "1" },
      },
    },
  ],
  behavior: { scaleDown: { stabilizationWindowSeconds: 60 } },
};

/** A burst every four minutes of cluster time, single jobs after it, then silence, long enough to sleep. */
export const demoArrivals: ArrivalPlan = {
  firstBurstSeconds: 30,
  burstEverySeconds: 270,
  burstJobs: [50, 80, 30],
  trickleEverySeconds: 20,
  trickleForSeconds: 80,
};

/** The path and query that an HPA controller asks for the demo's metric. */
export const demoMetricPath = `/apis/external.metrics.k8s.io/v1beta1/namespaces/${demoNamespace}/${metricName}?labelSelector=queue%3D${demoQueue}`;

/** `leadline.yaml` for the demo: five jobs in the system call for one worker. */
export function demoConfig(redisPort: number): string {
  return `connections:
- name: demo
  redis: { url: "redis://127.0.0.1:${redisPort}/0" }
  polling: { intervalSeconds: 1, timeoutSeconds: 1 }
signals:
- metadata: { namespace: ${demoNamespace}, name: ${metricName} }
  spec:
    metric: { name: ${metricName}, labels: { queue: ${demoQueue} } }
    inputs: [{ name: jobs, bullmq: { connectionRef: { name: demo }, queue: ${demoQueue} } }]
    value: { expression: "jobs.backlog / 5" }
    modifiers: { maximum: ${maxReplicas} }
`;
}
