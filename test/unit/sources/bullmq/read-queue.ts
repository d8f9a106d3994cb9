import { RedisConnection } from "../../../../src/connections/redis/client.ts";
import type { RedisConnectionOptions } from "../../../../src/connections/redis/options.ts";
import type { Fields } from "../../../../src/model/reading.ts";
import type { SourceErrorCode } from "../../../../src/model/source-error.ts";
import { systemClock } from "../../../../src/runtime/clock.ts";
import { bullmqQuery } from "../../../../src/sources/bullmq/query.ts";
import { BullmqSource } from "../../../../src/sources/bullmq/source.ts";
import type { FetchOutcome, Source } from "../../../../src/sources/source.ts";
import { fixedRandom } from "../../../fakes/fixed-random.ts";

/** Options of a connection named `jobs` to loopback; every part can be replaced. */
export type TestConnection = Partial<Omit<RedisConnectionOptions, "address">> & {
  readonly port: number;
  readonly host?: string;
  readonly database?: number;
};

/** A BullMQ source on a server of a test. The caller closes it. */
export function openBullmqSource(connection: TestConnection): BullmqSource {
  const { port, host = "127.0.0.1", database = 0, ...options } = connection;
  const isTls = options.tls !== undefined;
  const redis = new RedisConnection(
    { name: "jobs", address: { host, port, database, isTls }, ...options },
    { clock: systemClock, random: fixedRandom(0) },
  );
  return new BullmqSource({ connection: redis, clock: systemClock });
}

/** What one read of one queue gave; `timeout` when the deadline passed without an outcome. */
export type ReadResult =
  Fields | { readonly code: SourceErrorCode; readonly message: string } | "timeout";

/** Reads queues once, and gives the fields or the error of each, in order. */
export async function readQueues(
  source: Source,
  names: readonly string[],
  { prefix = "bull", timeoutMs = 5_000 }: { prefix?: string; timeoutMs?: number } = {},
): Promise<readonly ReadResult[]> {
  const outcomes = new Map<string, FetchOutcome>();
  const queries = names.map((queue) => bullmqQuery({ queue, prefix }));
  const deadline = systemClock.timeout(timeoutMs);
  await source.fetch(
    queries,
    (query, outcome) => outcomes.set(query.key, outcome),
    deadline.signal,
  );
  deadline.clear();
  return queries.map(({ key }) => {
    const outcome = outcomes.get(key);
    if (outcome === undefined) return "timeout";
    if (outcome.status === "read") return outcome.reading.fields;
    const { code, message } = outcome.error;
    return { code, message };
  });
}

/** Reads one queue once. */
export async function readQueue(
  source: Source,
  name: string,
  options?: { prefix?: string; timeoutMs?: number },
): Promise<ReadResult | undefined> {
  return (await readQueues(source, [name], options))[0];
}
