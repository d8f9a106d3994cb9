import { bullmqInputSchema } from "./bullmq/config.ts";
import type { BullmqInput } from "./bullmq/config.ts";
import type { SourceTypeName } from "./source-type.ts";

/** The keys of an input's union, each with its schema. A new source adds one line. */
export const sourceInputShape = {
  bullmq: bullmqInputSchema.optional(),
};

/** The same keys, for the "exactly one of" check and for messages. */
export const sourceTypeNames = Object.keys(sourceInputShape) as readonly SourceTypeName[]; // the shape above has no other keys

/** The source of an input as parsed: what every source type has in common. */
export type SourceInput = BullmqInput;
