import type { RedisConnectionOptions } from "../connections/redis/options.ts";
import type { Clock, Random } from "../runtime/clock.ts";
import { bullmqSourceType } from "./bullmq/source-type.ts";
import type { Source } from "./source.ts";

/** The source types by name: what configuration and signals need to know, without any client. */
export const sourceTypes = { bullmq: bullmqSourceType } as const;

/** One connection with its client's options: exactly one key, as in the configuration. */
export interface ConnectionOptions {
  readonly redis: RedisConnectionOptions;
}

/** Time and chance for the clients behind the sources. */
export interface SourceDependencies {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * The source of one connection. Loads the client's code now, and not before, so that what is not configured costs nothing; dials nothing.
 *
 * One connection is one source, whatever is read from it: further kinds of things on Redis join the client here, told apart by their queries.
 */
export async function createSource(
  { redis }: ConnectionOptions,
  { clock, random }: SourceDependencies,
): Promise<Source> {
  const [{ RedisConnection }, { BullmqSource }] = await Promise.all([
    import("../connections/redis/client.ts"),
    import("./bullmq/source.ts"),
  ]);
  const connection = new RedisConnection(redis, { clock, random });
  return new BullmqSource({ connection, clock });
}
