import { writeFileSync } from "node:fs";
import path from "node:path";
import type { Clock } from "../runtime/clock.ts";
import { createAuthority } from "../certificates/authority.ts";
import { DemoProcess } from "./child-process.ts";
import { createDeferred } from "./deferred.ts";
import type { Watchdog } from "./watchdog.ts";

/** What Leadline is started with. */
export interface LeadlineProcessOptions {
  /** The command line of Leadline itself, e.g. node and `bin/leadline.js`. */
  readonly command: readonly [string, ...string[]];
  /** The configuration, YAML. */
  readonly config: string;
  readonly clock: Clock;
  readonly watchdog: Watchdog;
}

/** Files on disk that a server and its clients need. */
interface ServerFiles {
  readonly configFile: string;
  readonly caFile: string;
  readonly caPem: string;
  readonly certificateFile: string;
  readonly privateKeyFile: string;
}

const startTimeoutMs = 20_000;
const dayMs = 86_400_000;

async function writeFiles(options: LeadlineProcessOptions): Promise<ServerFiles> {
  const { clock, config, watchdog } = options;
  // Backdated, for clients whose clock is a little behind.
  const validity = { notBeforeMs: clock.now() - 60_000, notAfterMs: clock.now() + dayMs };
  const authority = await createAuthority({ commonName: "leadline-demo-ca", ...validity });
  const serving = await authority.issue({
    ...{ commonName: "leadline-demo", dnsNames: ["localhost"], ipAddresses: ["127.0.0.1"] },
    ...{ usages: ["ServerAuth"], ...validity },
  });
  const file = (name: string, content: string): string => {
    const target = path.join(watchdog.directory, name);
    writeFileSync(target, content, { mode: 0o600 });
    return target;
  };
  return {
    configFile: file("leadline.yaml", config),
    caFile: file("ca.crt", authority.certificatePem),
    caPem: authority.certificatePem,
    certificateFile: file("tls.crt", serving.certificatePem),
    privateKeyFile: file("tls.key", serving.privateKeyPem),
  };
}

/** The address in the log line that says the aggregated API listens; undefined for any other line. */
export function servingAddress(line: string): string | undefined {
  const match = /^\{.*"msg":"Serving".*\}$/.test(line)
    ? /"address":"(https:\/\/[^"]+)"/.exec(line)
    : null;
  return match?.[1];
}

/**
 * Leadline as a process of its own, standalone over HTTPS, with a certificate from an authority made for it. It can be stopped and started again: it keeps its
 * address then.
 */
export class LeadlineProcess {
  readonly #options: LeadlineProcessOptions;
  readonly #files: ServerFiles;
  readonly #crash = createDeferred<never>();
  #process: DemoProcess | undefined;
  #address: string | undefined;

  private constructor(options: LeadlineProcessOptions, files: ServerFiles) {
    this.#options = options;
    this.#files = files;
    // It may crash while nobody looks at `crashed`; starting fails then anyway.
    this.#crash.promise.catch(() => undefined);
  }

  /** Writes configuration and certificates; starts nothing yet. */
  static async create(options: LeadlineProcessOptions): Promise<LeadlineProcess> {
    return new LeadlineProcess(options, await writeFiles(options));
  }

  /** PEM of the only authority whose certificates are to be believed. */
  get caPem(): string {
    return this.#files.caPem;
  }

  /** The same as a file. */
  get caFile(): string {
    return this.#files.caFile;
  }

  /** Where it listens, e.g. `https://127.0.0.1:41873`. Throws before the first start. */
  get address(): string {
    if (this.#address === undefined) throw new Error("Leadline has not started yet");
    return this.#address;
  }

  /** Whether it has been started and not stopped. */
  get isStarted(): boolean {
    return this.#process !== undefined;
  }

  /** Rejects, with its last lines, when a started process ends by itself. */
  get crashed(): Promise<never> {
    return this.#crash.promise;
  }

  /** Resolves when it listens. Rejects with its last lines when it does not. */
  async start(signal: AbortSignal): Promise<void> {
    const { command, clock, watchdog } = this.#options;
    const { configFile, certificateFile, privateKeyFile } = this.#files;
    const port = this.#address === undefined ? "0" : new URL(this.#address).port;
    const [program, ...programArgs] = command;
    const child = new DemoProcess({
      ...{ name: "leadline serve", command: program, clock, watchdog },
      workingDirectory: watchdog.directory,
      args: [
        ...[...programArgs, "serve", "--standalone", "--config", configFile],
        ...["--bind-address", "127.0.0.1", "--secure-port", port],
        ...["--ops-bind-address", "127.0.0.1", "--ops-port", "0"],
        ...["--tls-cert-file", certificateFile, "--tls-private-key-file", privateKeyFile],
        ...["--shutdown-delay-seconds", "0"],
      ],
    });
    this.#process = child;
    child.exited.then(
      (end) => this.#noteEnd(child, end),
      () => undefined,
    );
    this.#address = await child.waitForLine(servingAddress, startTimeoutMs, signal);
  }

  /** Stops it, if it runs, and waits until it is gone. */
  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    await child?.stop();
  }

  #noteEnd(child: DemoProcess, end: string): void {
    if (this.#process !== child) return;
    const tail = child.lines.slice(-5).join("\n  ");
    this.#crash.reject(new Error(`leadline serve: ended with ${end}\n  ${tail}`));
  }
}
