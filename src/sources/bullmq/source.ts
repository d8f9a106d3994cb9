import type { RedisConnection } from "../../connections/redis/client.ts";
import type { RedisSubject } from "../../connections/redis/errors.ts";
import {
  findingFromRedisError,
  redisSourceError,
  sourceErrorFromRedis,
} from "../../connections/redis/errors.ts";
import type { RedisReply } from "../../connections/redis/command.ts";
import type { ReadScript } from "../../connections/redis/script.ts";
import { readScriptFromLua } from "../../connections/redis/script.ts";
import type { Reading } from "../../model/reading.ts";
import type { SourceError } from "../../model/source-error.ts";
import type { Clock } from "../../runtime/clock.ts";
import { withCounterRates } from "../counters.ts";
import type { FetchOutcome, Report, Source } from "../source.ts";
import { countsFromReply } from "./counts.ts";
import type { BullmqQuery } from "./query.ts";
import { bullmqKeyBase, bullmqReadLua, bullmqScriptCall } from "./read-script.ts";

/** What the source reads through, and the time. */
export interface BullmqSourceDependencies {
  readonly connection: RedisConnection;
  readonly clock: Clock;
}

/** Instant that a fetch's readings carry: before anything was sent, so that no reading is taken for younger than it is. */
interface Instant {
  readonly timestampMs: number;
  readonly monotonicMs: number;
}

const rates = [
  { counter: "arrivals", rate: "arrivalRate" },
  { counter: "completions", rate: "serviceRate" },
] as const;

/** Reads BullMQ queues: one script run for each queue, all over the connection's one socket. */
export class BullmqSource implements Source<BullmqQuery> {
  readonly #connection: RedisConnection;
  readonly #clock: Clock;
  readonly #script: ReadScript = readScriptFromLua(bullmqReadLua);

  constructor({ connection, clock }: BullmqSourceDependencies) {
    this.#connection = connection;
    this.#clock = clock;
  }

  async fetch(
    queries: readonly BullmqQuery[],
    report: Report<BullmqQuery>,
    signal: AbortSignal,
  ): Promise<void> {
    const instant = { timestampMs: this.#clock.now(), monotonicMs: this.#clock.monotonic() };
    const calls = queries.map((query) => bullmqScriptCall(query, instant.timestampMs));
    await this.#connection.runScript(
      { script: this.#script, calls },
      (index, reply) => {
        const query = queries[index];
        if (query !== undefined) report(query, this.#outcome(query, reply, instant));
      },
      signal,
    );
  }

  derive(reading: Reading, history: readonly Reading[]): Reading {
    return withCounterRates(reading, history, rates);
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  #outcome(query: BullmqQuery, reply: RedisReply, instant: Instant): FetchOutcome {
    const subject = { connection: this.#connection.name, thing: query.description };
    if (reply.status === "failed") {
      return { status: "failed", error: sourceErrorFromRedis(reply.error, subject) };
    }
    const keyBase = bullmqKeyBase(query);
    const counts = countsFromReply(reply.value, { nowMs: instant.timestampMs, keyBase });
    switch (counts.status) {
      case "counted":
        return { status: "read", reading: { ...instant, fields: counts.fields } };
      case "missing":
        return { status: "failed", error: missingError(query, subject) };
      case "failed":
        return { status: "failed", error: keyError(query, subject, counts) };
      case "misconfigured": {
        const { finding } = counts;
        return {
          status: "failed",
          error: redisSourceError({ code: "FailedPrecondition", finding }, subject),
        };
      }
      case "malformed": {
        const finding = `${counts.finding}: the answer is not one of this read`;
        return {
          status: "failed",
          error: redisSourceError({ code: "DataLoss", finding }, subject),
        };
      }
    }
  }
}

function missingError(query: BullmqQuery, subject: RedisSubject): SourceError {
  const base = bullmqKeyBase(query);
  const finding = `not found: neither key ${base}id nor ${base}meta exists`;
  return redisSourceError({ code: "NotFound", finding }, subject);
}

/** A command of the script failed: the finding names the key. */
function keyError(
  query: BullmqQuery,
  subject: RedisSubject,
  { key, message }: { readonly key: string; readonly message: string },
): SourceError {
  const { code, finding } = findingFromRedisError(new Error(message));
  const name = `${bullmqKeyBase(query)}${key === "job" ? "<job>" : key}`;
  return redisSourceError({ code, finding: `key ${name}: ${finding}` }, subject);
}
