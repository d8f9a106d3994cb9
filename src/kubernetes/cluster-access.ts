import { readFile } from "node:fs/promises";
import { isIPv6 } from "node:net";
import { msFromRfc3339 } from "../model/timestamp.ts";
import { definedOnly } from "./defined-only.ts";
import { runCredentialPlugin } from "./exec-credential.ts";
import type { ExecCredential } from "./exec-credential.ts";
import { parseKubeconfig } from "./kubeconfig.ts";
import type { KubeconfigContext, Material } from "./kubeconfig.ts";

/** The environment of the process, as `main.ts` read it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where to find the cluster: the first that applies of explicit file, in-cluster, `KUBECONFIG`. */
export interface ClusterLocation {
  /** `--kubeconfig`; absent when not given. */
  readonly kubeconfigPath?: string;
  readonly environment: Environment;
  /** Folder of the ServiceAccount's `token` and `ca.crt`. Default: where the kubelet mounts it. */
  readonly serviceAccountDirectory?: string;
}

/** Everything that is needed to make a request, read afresh. Holds secrets: never logged. */
export interface ClusterAccess {
  /** Base URL without a slash at the end. */
  readonly server: string;
  readonly tls: TlsMaterial;
  /** Value of the `Authorization` header; absent when the client certificate alone speaks. */
  readonly authorization?: string;
  /** When the credentials end, milliseconds since the epoch; absent when they do not say. */
  readonly expiresAtMs?: number;
}

/** TLS options of the connection; absent keys are Node's defaults. */
export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly rejectUnauthorized: boolean;
}

const serviceAccountDirectory = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Reads the cluster's address and credentials from their files. Rejects with what is missing, without its contents. */
export async function loadClusterAccess(location: ClusterLocation): Promise<ClusterAccess> {
  const context = await contextOf(location);
  const credential =
    context.exec === undefined
      ? undefined
      : await runCredentialPlugin(context.exec, location.environment);
  return accessOf(context, credential);
}

async function contextOf(location: ClusterLocation): Promise<KubeconfigContext> {
  const { kubeconfigPath, environment } = location;
  if (kubeconfigPath !== undefined) return readKubeconfig(kubeconfigPath);
  const inCluster = inClusterContext(location);
  if (inCluster !== undefined) return inCluster;
  const path = environment["KUBECONFIG"];
  if (path === undefined || path === "") {
    throw new Error("no cluster: give --kubeconfig, run in a pod, or set KUBECONFIG");
  }
  // client-go merges a list of files; a server needs one, and guessing which would be worse than refusing.
  if (path.includes(":")) throw new Error("KUBECONFIG names several files: give one");
  return readKubeconfig(path);
}

async function readKubeconfig(path: string): Promise<KubeconfigContext> {
  return parseKubeconfig(await readFile(path, "utf8"), path);
}

/** client-go: rest.InClusterConfig. Undefined outside a pod. */
function inClusterContext(location: ClusterLocation): KubeconfigContext | undefined {
  const host = location.environment["KUBERNETES_SERVICE_HOST"];
  const port = location.environment["KUBERNETES_SERVICE_PORT"];
  if (host === undefined || host === "" || port === undefined || port === "") return undefined;
  const folder = location.serviceAccountDirectory ?? serviceAccountDirectory;
  return {
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    isVerificationSkipped: false,
    authority: { file: `${folder}/ca.crt` },
    token: { file: `${folder}/token` },
  };
}

async function accessOf(
  context: KubeconfigContext,
  credential: ExecCredential | undefined,
): Promise<ClusterAccess> {
  const token = credential?.token ?? (await read(context.token))?.trim();
  return {
    server: context.server,
    tls: await tlsMaterial(context, credential),
    ...definedOnly({
      authorization: authorizationFrom(token, context.basic),
      expiresAtMs: expiryOf(credential),
    }),
  };
}

async function tlsMaterial(
  context: KubeconfigContext,
  credential: ExecCredential | undefined,
): Promise<TlsMaterial> {
  return {
    rejectUnauthorized: !context.isVerificationSkipped,
    ...definedOnly({
      ca: await read(context.authority),
      cert: credential?.clientCertificateData ?? (await read(context.clientCertificate)),
      key: credential?.clientKeyData ?? (await read(context.clientKey)),
      servername: context.serverName,
    }),
  };
}

function expiryOf(credential: ExecCredential | undefined): number | undefined {
  const text = credential?.expirationTimestamp;
  return text === undefined ? undefined : msFromRfc3339(text);
}

function authorizationFrom(
  token: string | undefined,
  basic: KubeconfigContext["basic"],
): string | undefined {
  if (token !== undefined && token !== "") return `Bearer ${token}`;
  if (basic === undefined) return undefined;
  return `Basic ${Buffer.from(`${basic.username}:${basic.password}`).toString("base64")}`;
}

async function read(material: Material | undefined): Promise<string | undefined> {
  if (material === undefined) return undefined;
  return "text" in material ? material.text : readFile(material.file, "utf8");
}
