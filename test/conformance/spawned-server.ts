import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { request as httpRequest } from "node:http";
import type { ClientRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Agent } from "node:https";
import type { Readable } from "node:stream";
import { connect } from "node:tls";
import { fileURLToPath } from "node:url";
import type { KeyPair } from "../../src/certificates/authority.ts";
import { until } from "../fakes/until.ts";
import type { Reply } from "./api-stand.ts";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One request to the aggregated API. */
export interface ApiRead {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly certificate?: Pick<KeyPair, "certificatePem" | "privateKeyPem">;
  /** Default: a connection of its own. */
  readonly agent?: Agent;
}

/** What the process is told. */
export interface SpawnOptions {
  readonly flags: readonly string[];
  /** The whole of it: nothing is handed down. */
  readonly environment: Readonly<Record<string, string>>;
  /** Authority of the serving certificate; absent trusts whatever is presented, as for a self-signed one. */
  readonly caPem?: string;
}

/** `leadline serve` as a process of its own, from source: command line, environment, files, signals and exit code are the real ones. */
export class SpawnedServer {
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #caPem: string | undefined;
  #stdout = "";
  #stderr = "";
  #hasEnded = false;

  constructor({ flags, environment, caPem }: SpawnOptions) {
    this.#caPem = caPem;
    const child = spawn(process.execPath, [main, "serve", ...flags], {
      env: { ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    child.stdout.setEncoding("utf8").on("data", (text: string) => (this.#stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text));
    const onExit = (): boolean => child.kill("SIGKILL");
    process.once("exit", onExit);
    this.ended = new Promise((resolve) => {
      child.once("close", (code, signal) => {
        process.removeListener("exit", onExit);
        this.#hasEnded = true;
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
  }

  /** Starts one and waits until both ports listen. */
  static async start(options: SpawnOptions): Promise<SpawnedServer> {
    const server = new SpawnedServer(options);
    const isServing = (): boolean => server.logged("Serving").length === 1;
    await until(() => isServing() || server.#hasEnded, "the server serves");
    if (!isServing()) throw new Error(`ended before it served:\n${server.output}`);
    return server;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Everything that it wrote; for messages. */
  get output(): string {
    return this.#stdout + this.#stderr;
  }

  /** Lines of the log with this message so far. */
  logged(message: string): readonly Readonly<Record<string, unknown>>[] {
    const lines = this.#stdout.split("\n").slice(0, -1);
    return lines
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
      .filter(({ msg }) => msg === message);
  }

  /** Waits until the log holds this many such lines. */
  async untilLogged(message: string, times = 1): Promise<void> {
    await until(() => this.logged(message).length >= times, `${times} × ${message}`);
  }

  /** Reads from the aggregated API. Rejects when no connection can be had. */
  api({ path, headers = {}, certificate, agent }: ApiRead): Promise<Reply> {
    const trust = this.#caPem === undefined ? { rejectUnauthorized: false } : { ca: this.#caPem };
    const identity =
      certificate === undefined
        ? {}
        : { cert: certificate.certificatePem, key: certificate.privateKeyPem };
    const target = { host: "127.0.0.1", port: this.#port("Serving"), path, headers };
    return replyTo(httpsRequest({ ...target, ...trust, ...identity, agent: agent ?? false }));
  }

  /** Reads from the ops port. */
  ops(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
    const port = this.#port("Serving operations");
    return replyTo(httpRequest({ host: "127.0.0.1", port, path, headers, agent: false }));
  }

  /** SHA-256 fingerprint of the certificate that a new handshake gets. */
  presented(): Promise<string> {
    return new Promise((resolve, reject) => {
      const target = { host: "127.0.0.1", port: this.#port("Serving"), rejectUnauthorized: false };
      const socket = connect(target, () => {
        resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? "none");
        socket.destroy();
      });
      socket.on("error", reject);
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it at once, whatever it does; idempotent. */
  async stop(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.ended;
  }

  #port(message: "Serving" | "Serving operations"): number {
    return Number(new URL(String(this.logged(message)[0]?.["address"])).port);
  }
}

function replyTo(request: ClientRequest): Promise<Reply> {
  return new Promise((resolve, reject) => {
    request.on("error", reject);
    request.on("response", (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (body += chunk));
      response.on("error", reject);
      response.on("end", () => {
        const headers = response.headers as Reply["headers"];
        resolve({ code: response.statusCode ?? 0, headers, body });
      });
    });
    request.end();
  });
}
