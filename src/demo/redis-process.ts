import { mkdirSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import type { Clock } from "../runtime/clock.ts";
import { DemoProcess } from "./child-process.ts";
import type { Watchdog } from "./watchdog.ts";

/** What a Redis server is started with. */
export interface RedisProcessOptions {
  /** Path or name of a redis-server binary. */
  readonly binary: string;
  readonly clock: Clock;
  readonly watchdog: Watchdog;
}

/** A running Redis server of the demo's own. */
export interface RedisProcess {
  readonly port: number;
  readonly process: DemoProcess;
}

const startTimeoutMs = 10_000;
const attempts = 3;

/** A port on loopback that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}

/**
 * Starts redis-server on a free loopback port, without persistence. Resolves when it takes connections: it says so itself, so no other server on the port can
 * be mistaken for it. When somebody takes the port in between, it tries the next. Rejects with the server's last lines.
 */
export async function startRedis(
  { binary, clock, watchdog }: RedisProcessOptions,
  signal: AbortSignal,
): Promise<RedisProcess> {
  const directory = path.join(watchdog.directory, "redis");
  mkdirSync(directory, { recursive: true });
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const process = new DemoProcess({
      ...{ name: "redis-server", command: binary, clock, watchdog, workingDirectory: directory },
      args: ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
    });
    try {
      const isReady = (line: string): true | undefined =>
        /ready to accept connections/i.test(line) ? true : undefined;
      await process.waitForLine(isReady, startTimeoutMs, signal);
      return { port, process };
    } catch (reason) {
      await process.stop();
      const isPortTaken = process.lines.some((line) => line.includes("Address already in use"));
      if (!isPortTaken || attempt === attempts) throw reason;
    }
  }
}
