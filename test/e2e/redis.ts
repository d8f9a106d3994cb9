import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "./control-plane/free-port.ts";
import { ManagedProcess } from "./control-plane/managed-process.ts";
import { repositoryRoot } from "./overlay.ts";

async function redisBinary(): Promise<string> {
  const named = process.env["REDIS_SERVER"];
  if (named !== undefined && named !== "") return named;
  const script = join(repositoryRoot, "scripts/redis-server.mjs");
  return (await promisify(execFile)(process.execPath, [script])).stdout.trim();
}

async function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("PING\r\n"));
    socket.setTimeout(1_000, () => socket.destroy());
    socket.once("data", (answer) => {
      resolve(answer.toString().startsWith("+PONG"));
      socket.destroy();
    });
    socket.once("error", () => resolve(false));
    socket.once("close", () => resolve(false));
  });
}

/** A real Redis server that keeps what it acknowledged: every write is on disk before it is answered. */
export class RedisServer {
  readonly port: number;
  readonly #directory: string;
  readonly #binary: string;
  #process: ManagedProcess | undefined;

  private constructor(port: number, directory: string, binary: string) {
    this.port = port;
    this.#directory = directory;
    this.#binary = binary;
  }

  /** Starts one on a free port with its data under `directory`. */
  static async start(directory: string): Promise<RedisServer> {
    const data = join(directory, "redis");
    await mkdir(data, { recursive: true });
    const server = new RedisServer(await freePort(), data, await redisBinary());
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}/0`;
  }

  /** Starts it (again) on the same port with the same data; resolves when it has loaded them. */
  async start(): Promise<void> {
    const started = new ManagedProcess({
      name: "redis-server",
      command: this.#binary,
      args: [
        ...["--bind", "127.0.0.1", "--port", String(this.port), "--dir", this.#directory],
        ...["--appendonly", "yes", "--appendfsync", "always", "--save", ""],
      ],
      logFile: join(this.#directory, "redis.log"),
    });
    this.#process = started;
    await started.untilReady(() => answersPing(this.port), 15_000);
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    this.#process?.kill("SIGKILL");
    await this.#process?.exited;
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
  }
}
