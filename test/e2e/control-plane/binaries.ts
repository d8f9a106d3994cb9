import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** Paths of the built binaries. */
export interface Binaries {
  readonly etcd: string;
  readonly kubeApiserver: string;
  readonly kubeControllerManager: string;
  readonly kubeScheduler: string;
  readonly kubectl: string;
  readonly kwok: string;
}

const buildScript = fileURLToPath(
  new URL("../../../scripts/control-plane/build.mjs", import.meta.url),
);

/** Where the build script has put the control plane. Throws with the script's own words when something is not built. */
export async function findBinaries(): Promise<Binaries> {
  const { stdout } = await promisify(execFile)(process.execPath, [buildScript, "--paths"]);
  const paths = JSON.parse(stdout) as Readonly<Record<string, string>>; // our own script's output
  const path = (name: string): string => {
    const found = paths[name];
    if (found === undefined) throw new Error(`${buildScript} knows no binary ${name}`);
    return found;
  };
  return {
    etcd: path("etcd"),
    kubeApiserver: path("kube-apiserver"),
    kubeControllerManager: path("kube-controller-manager"),
    kubeScheduler: path("kube-scheduler"),
    kubectl: path("kubectl"),
    kwok: path("kwok"),
  };
}
