import { Queue } from "bullmq";
import { systemClock } from "../../src/runtime/clock.ts";
import { bullmqQuery } from "../../src/sources/bullmq/query.ts";
import { bullmqFields } from "../../src/sources/bullmq/source-type.ts";
import { createSource } from "../../src/sources/registry.ts";
import { fixedRandom } from "../fakes/fixed-random.ts";
import { startRedisServer } from "../servers/redis-server.ts";
import type { ContractServer } from "./source-contract.ts";
import { contractConnectionName, describeSourceContract } from "./source-contract.ts";

const password = "right-hunter1";

async function startServer(): Promise<ContractServer> {
  const server = await startRedisServer({ password, appendOnly: true });
  const queue = (name: string): Queue =>
    new Queue(name, { connection: { host: "127.0.0.1", port: server.port, password } });
  return {
    port: server.port,
    pause: () => server.pause(),
    resume: () => server.resume(),
    kill: () => server.kill(),
    restart: () => server.restart(),
    stop: () => server.stop(),
    createThing: async (name, depth) => {
      const bullmq = queue(name);
      await bullmq.waitUntilReady();
      await bullmq.drain();
      await bullmq.addBulk(Array.from({ length: depth }, () => ({ name: "job", data: {} })));
      await bullmq.close();
    },
    deleteThing: async (name) => {
      const bullmq = queue(name);
      await bullmq.obliterate({ force: true });
      await bullmq.close();
      // Closing writes nothing, but opening did.
      await server.command("DEL", `bull:${name}:meta`);
    },
    breakThing: async (name) => {
      await server.command("HSET", `bull:${name}:meta`, "version", "bullmq:6.7.0");
      await server.command("SET", `bull:${name}:wait`, "not a list");
    },
  };
}

describeSourceContract({
  name: "bullmq",
  startServer,
  createSource: (connection) =>
    createSource(
      {
        redis: {
          name: contractConnectionName,
          address: { host: "127.0.0.1", port: connection.port, database: 0, isTls: false },
          password: () => connection.password ?? password,
        },
      },
      { clock: systemClock, random: fixedRandom(0) },
    ),
  query: (queue) => bullmqQuery({ queue, prefix: "bull" }),
  depthField: "waiting",
  fields: bullmqFields,
  brokenThing: { code: "FailedPrecondition", finding: "key bull:broken:wait" },
  garbledAnswers: {
    "another protocol": "HTTP/1.1 400 Bad Request\r\n\r\n",
    "an array cut short": "*16\r\n:1\r\n:0\r\n",
    "a shorter array": "*2\r\n:1\r\n:0\r\n",
    "no array": "+OK\r\n",
    "words where counts belong": `*16\r\n${"$3\r\nNaN\r\n".repeat(16)}`,
    "an empty reply": "$-1\r\n",
  },
});
