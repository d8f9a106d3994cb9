import type { Query } from "../source.ts";

/** One BullMQ queue: its name and the prefix of its keys. */
export interface BullmqQuery extends Query {
  readonly sourceType: "bullmq";
  readonly prefix: string;
  readonly queue: string;
}

/** What of an input decides which queue is read; the rest is about when and for whom. */
export type BullmqQueueRef = Pick<BullmqQuery, "prefix" | "queue">;

/**
 * The query for a queue. The key starts with the kind of thing, because other kinds share a Redis connection.
 */
export function bullmqQuery({ prefix, queue }: BullmqQueueRef): BullmqQuery {
  return {
    key: `bullmq:${prefix}:${queue}`,
    sourceType: "bullmq",
    description: `queue "${queue}"`,
    prefix,
    queue,
  };
}
