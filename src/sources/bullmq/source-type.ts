import type { SourceType } from "../source-type.ts";
import type { BullmqQuery, BullmqQueueRef } from "./query.ts";
import { bullmqQuery } from "./query.ts";

/** Fields of a BullMQ queue, as docs/sources/bullmq.md explains them. */
export const bullmqFields = [
  "waiting",
  "prioritized",
  "delayedDue",
  "active",
  "takeable",
  "backlog",
  "paused",
  "arrivals",
  "completions",
  "arrivalRate",
  "serviceRate",
  "headOfLineAgeSeconds",
] as const;

/** Name of one of the {@link bullmqFields}. */
export type BullmqField = (typeof bullmqFields)[number];

/** `bullmq`: BullMQ queues on a `redis` connection. Loads no client. */
export const bullmqSourceType: SourceType<BullmqQueueRef, BullmqQuery> = {
  name: "bullmq",
  connectionKind: "redis",
  fields: bullmqFields,
  defaultIntervalMs: 5_000,
  // A queue that was never used holds nothing; what it has counted so far is not known.
  missingFields: {
    waiting: 0,
    prioritized: 0,
    delayedDue: 0,
    active: 0,
    takeable: 0,
    backlog: 0,
    paused: 0,
  } satisfies Partial<Record<BullmqField, number>>,
  query: bullmqQuery,
};
