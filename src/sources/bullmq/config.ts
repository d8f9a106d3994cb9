import * as z from "zod";
import { connectionRefSchema } from "../../schema/connection-ref.ts";
import { textSchema } from "../../schema/fields.ts";
import { pollingSchema } from "../../schema/polling.ts";

/** The `bullmq` key of an input: one BullMQ queue. */
export const bullmqInputSchema = z.strictObject({
  connectionRef: connectionRefSchema,
  /** Name of the queue, as given to `new Queue(name)`; BullMQ itself refuses ':'. */
  queue: textSchema(/^[^:\p{Cc}]+$/u, 512, "the name of a queue, without ':'"),
  /** Prefix of the queue's keys: BullMQ's option `prefix`. */
  prefix: textSchema(/^\P{Cc}+$/u, 512, "a key prefix, e.g. bull").default("bull"),
  /** When to read this queue. Default: as the connection says. */
  polling: pollingSchema.optional(),
  /** Whether a queue that does not exist counts as an empty one. Otherwise it is an error. */
  allowMissing: z.boolean({ error: "true or false" }).default(false),
});

/** A BullMQ input as parsed, defaults filled in. */
export type BullmqInput = z.output<typeof bullmqInputSchema>;
