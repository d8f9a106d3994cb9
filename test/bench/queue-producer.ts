/* Fills many BullMQ queues so that every count changes between two polls, and logs each change: the truth that reads are held against. */
import { appendFileSync } from "node:fs";
import { Queue } from "bullmq";
import { Redis } from "ioredis";

const [portText, countText, roundText, logFile] = process.argv.slice(2);
const count = Number(countText);
const roundMs = Number(roundText);
if (logFile === undefined) throw new Error("usage: queue-producer PORT QUEUES ROUND_MS LOG");
const connection = new Redis({
  host: "127.0.0.1",
  port: Number(portText),
  maxRetriesPerRequest: null,
});
const names = Array.from({ length: count }, (_, index) => `q${String(index).padStart(4, "0")}`);
const queues = names.map((name) => new Queue(name, { connection }));
const lengths = new Map(names.map((name) => [name, 0]));

/** One job into one queue. Logged as known not before `beforeMs` and not after `afterMs`. */
async function addOne(queue: Queue): Promise<string> {
  const beforeMs = Date.now();
  await queue.add("job", {}, { removeOnComplete: true });
  const length = (lengths.get(queue.name) ?? Number.NaN) + 1;
  lengths.set(queue.name, length);
  return JSON.stringify({ queue: queue.name, length, beforeMs, afterMs: Date.now() });
}

const slices = 50;
async function round(spreadMs: number): Promise<void> {
  const size = Math.ceil(queues.length / slices);
  for (let slice = 0; slice < slices; slice += 1) {
    const began = performance.now();
    const lines = await Promise.all(queues.slice(slice * size, (slice + 1) * size).map(addOne));
    appendFileSync(logFile!, `${lines.join("\n")}\n`);
    const restMs = spreadMs / slices - (performance.now() - began);
    if (restMs > 0) await new Promise((resolve) => setTimeout(resolve, restMs));
  }
}

await round(0);
process.stdout.write(`${JSON.stringify({ msg: "Filled", queues: count })}\n`);
const stopping = new AbortController();
process.on("SIGTERM", () => stopping.abort());
while (!stopping.signal.aborted) await round(roundMs);
await Promise.all(queues.map((queue) => queue.close()));
connection.disconnect();
