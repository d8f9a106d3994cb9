import { freePort } from "./free-port.ts";
import { ManagedProcess } from "./managed-process.ts";
import type { Workspace } from "./workspace.ts";
import { fileIn, logOf } from "./workspace.ts";

/** A running etcd. */
export interface Etcd {
  readonly process: ManagedProcess;
  /** Client URL. */
  readonly url: string;
  stop(): Promise<unknown>;
}

/** Starts etcd with data that is thrown away, hence without fsync. kube-apiserver waits for it. */
export async function startEtcd(workspace: Workspace): Promise<Etcd> {
  const url = `http://127.0.0.1:${await freePort()}`;
  const peerUrl = `http://127.0.0.1:${await freePort()}`;
  const process = new ManagedProcess({
    name: "etcd",
    command: workspace.binaries.etcd,
    args: [
      `--data-dir=${fileIn(workspace, "etcd")}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=default=${peerUrl}`,
      "--unsafe-no-fsync",
      "--log-level=warn",
    ],
    logFile: logOf(workspace, "etcd"),
  });
  return { process, url, stop: () => process.stop() };
}
