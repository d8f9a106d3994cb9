import { writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import type { Cluster } from "./cluster.ts";
import { ApiClient } from "./control-plane/api-client.ts";
import { leadlineServerName } from "./control-plane/certificates.ts";
import { freePort } from "./control-plane/free-port.ts";
import type { Credentials } from "./control-plane/kubeconfig.ts";
import { writeKubeconfig } from "./control-plane/kubeconfig.ts";
import { ManagedProcess } from "./control-plane/managed-process.ts";
import { repositoryRoot } from "./overlay.ts";

/** One Leadline process to start. */
export interface LeadlineOptions {
  /** Names its files; unique within a test file. */
  readonly name: string;
  /** Text of leadline.yaml. */
  readonly configuration: string;
  /** Default: a free one. */
  readonly securePort?: number;
  /** Default: a free one. */
  readonly opsPort?: number;
  /** Default 1. */
  readonly shutdownDelaySeconds?: number;
}

/** A running Leadline. */
export interface Leadline {
  readonly process: ManagedProcess;
  readonly securePort: number;
  readonly opsPort: number;
  /** Requests straight to its secure port, past kube-apiserver. */
  clientOf(credentials: Credentials | undefined): ApiClient;
  stop(): Promise<unknown>;
}

/** Whether a server's ops port says that it takes traffic. */
export async function isReady(opsPort: number): Promise<boolean> {
  return new Promise((resolve) => {
    const options = { host: "127.0.0.1", port: opsPort, path: "/readyz", timeout: 1_000 };
    const probe = request({ ...options, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    probe.once("timeout", () => probe.destroy());
    probe.once("error", () => resolve(false));
    probe.end();
  });
}

/**
 * Starts Leadline as a process that comes to kube-apiserver with the token of its own ServiceAccount, and waits until it
 * is ready.
 */
export async function startLeadline(cluster: Cluster, options: LeadlineOptions): Promise<Leadline> {
  const { directory, address } = cluster;
  const file = (suffix: string): string => join(directory, `${options.name}.${suffix}`);
  const securePort = options.securePort ?? (await freePort());
  const opsPort = options.opsPort ?? (await freePort());
  await writeFile(file("yaml"), options.configuration);
  await writeKubeconfig(file("kubeconfig"), {
    server: address.server,
    authorityPem: address.certificates.servingAuthorityPem,
    credentials: { token: await cluster.tokenOf("leadline", "leadline") },
  });
  const process = new ManagedProcess({
    name: `leadline ${options.name}`,
    command: join(repositoryRoot, "node_modules/.bin/node"),
    args: [
      join(repositoryRoot, "bin/leadline.js"),
      "serve",
      ...["--config", file("yaml")],
      ...["--kubeconfig", file("kubeconfig")],
      ...["--bind-address", "127.0.0.1", "--secure-port", String(securePort)],
      ...["--tls-cert-file", join(address.directory, "leadline.crt")],
      ...["--tls-private-key-file", join(address.directory, "leadline.key")],
      ...["--ops-bind-address", "127.0.0.1", "--ops-port", String(opsPort)],
      ...["--shutdown-delay-seconds", String(options.shutdownDelaySeconds ?? 1)],
    ],
    logFile: file("log"),
  });
  try {
    await process.untilReady(() => isReady(opsPort), 30_000);
  } catch (reason) {
    await process.stop();
    throw reason;
  }
  return {
    process,
    securePort,
    opsPort,
    clientOf: (credentials) =>
      new ApiClient({
        server: `https://127.0.0.1:${securePort}`,
        authorityPem: address.certificates.leadlineAuthorityPem,
        serverName: leadlineServerName,
        ...(credentials === undefined ? {} : { credentials }),
      }),
    stop: () => process.stop(15_000),
  };
}
