import { dirname, resolve } from "node:path";
import { parseDocument } from "yaml";
import { z } from "zod";
import { definedOnly } from "./defined-only.ts";

const clusterSchema = z.object({
  server: z.url({ protocol: /^https$/u, error: "an https URL is needed" }),
  "certificate-authority": z.string().optional(),
  "certificate-authority-data": z.base64().optional(),
  "insecure-skip-tls-verify": z.boolean().optional(),
  "tls-server-name": z.string().optional(),
  "proxy-url": z.undefined({ error: "proxies are not supported" }).optional(),
});

const execSchema = z.object({
  apiVersion: z.string(),
  command: z.string().min(1),
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
});

const userSchema = z.object({
  token: z.string().optional(),
  tokenFile: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  "client-certificate": z.string().optional(),
  "client-certificate-data": z.base64().optional(),
  "client-key": z.string().optional(),
  "client-key-data": z.base64().optional(),
  exec: execSchema.optional(),
  as: z.undefined({ error: "impersonation is not supported" }).optional(),
  "auth-provider": z.undefined({ error: "auth providers are not supported, use exec" }).optional(),
});

const kubeconfigSchema = z.object({
  "current-context": z.string().min(1),
  contexts: z.array(
    z.object({ name: z.string(), context: z.object({ cluster: z.string(), user: z.string() }) }),
  ),
  clusters: z.array(z.object({ name: z.string(), cluster: clusterSchema })),
  users: z.array(z.object({ name: z.string(), user: userSchema })),
});

/** A command that prints credentials (client-go: credential plugins, `ExecConfig`). */
export interface ExecConfig {
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** PEM or a token, given in place or as an absolute path to read it from. */
export type Material = { readonly text: string } | { readonly file: string };

/** The cluster and user of one context, files not read yet. Absent means not given. */
export interface KubeconfigContext {
  /** Base URL without a slash at the end. */
  readonly server: string;
  readonly authority?: Material;
  readonly isVerificationSkipped: boolean;
  readonly serverName?: string;
  readonly clientCertificate?: Material;
  readonly clientKey?: Material;
  readonly token?: Material;
  readonly basic?: { readonly username: string; readonly password: string };
  readonly exec?: ExecConfig;
}

type Cluster = z.infer<typeof clusterSchema>;
type User = z.infer<typeof userSchema>;

/**
 * Reads the current context of a kubeconfig (client-go: `clientcmd/api/v1/types.go`). Relative paths are taken from the file's folder.
 * Throws an Error naming the file and every finding: not YAML, a missing name, or something that is not supported.
 */
export function parseKubeconfig(text: string, path: string): KubeconfigContext {
  const result = kubeconfigSchema.safeParse(parseYaml(text, path));
  if (!result.success) {
    const findings = result.error.issues.map(
      (issue) => `${issue.path.join(".")}: ${issue.message}`,
    );
    throw new Error(`kubeconfig ${path}: ${findings.join("; ")}`);
  }
  const kubeconfig = result.data;
  const { context } = named(kubeconfig.contexts, kubeconfig["current-context"], "context", path);
  const { cluster } = named(kubeconfig.clusters, context.cluster, "cluster", path);
  const { user } = named(kubeconfig.users, context.user, "user", path);
  return { ...clusterPart(cluster, dirname(path)), ...userPart(user, dirname(path)) };
}

function parseYaml(text: string, path: string): unknown {
  const document = parseDocument(text, { prettyErrors: false });
  const [error] = document.errors;
  // The parser's own message may quote the source, which holds secrets.
  if (error !== undefined) throw new Error(`kubeconfig ${path}: not YAML (${error.code})`);
  return document.toJS();
}

function named<T extends { readonly name: string }>(
  entries: readonly T[],
  name: string,
  what: string,
  path: string,
): T {
  const entry = entries.find((candidate) => candidate.name === name);
  if (entry === undefined) {
    throw new Error(`kubeconfig ${path}: ${what} ${JSON.stringify(name)} not found`);
  }
  return entry;
}

type ClusterPart = Pick<
  KubeconfigContext,
  "server" | "authority" | "isVerificationSkipped" | "serverName"
>;

function clusterPart(cluster: Cluster, folder: string): ClusterPart {
  const { "certificate-authority-data": data, "certificate-authority": file } = cluster;
  return {
    server: cluster.server.replace(/\/+$/u, ""),
    isVerificationSkipped: cluster["insecure-skip-tls-verify"] ?? false,
    ...definedOnly({
      authority: material(data, file, folder),
      serverName: cluster["tls-server-name"],
    }),
  };
}

function userPart(user: User, folder: string): Omit<KubeconfigContext, keyof ClusterPart> {
  const { token, tokenFile, username, password, exec } = user;
  const inPlace = token === undefined ? undefined : { text: token };
  const { "client-certificate-data": certData, "client-certificate": certFile } = user;
  const { "client-key-data": keyData, "client-key": keyFile } = user;
  return definedOnly({
    // client-go prefers the file, which can be rotated.
    token: material(undefined, tokenFile, folder) ?? inPlace,
    basic: username === undefined || password === undefined ? undefined : { username, password },
    clientCertificate: material(certData, certFile, folder),
    clientKey: material(keyData, keyFile, folder),
    exec: exec === undefined ? undefined : execConfig(exec),
  });
}

function execConfig(exec: z.infer<typeof execSchema>): ExecConfig {
  return {
    apiVersion: exec.apiVersion,
    command: exec.command,
    args: exec.args ?? [],
    environment: Object.fromEntries((exec.env ?? []).map(({ name, value }) => [name, value])),
  };
}

/** Data wins over a file, as in client-go. */
function material(
  data: string | undefined,
  file: string | undefined,
  folder: string,
): Material | undefined {
  if (data !== undefined && data !== "") return { text: Buffer.from(data, "base64").toString() };
  return file === undefined || file === "" ? undefined : { file: resolve(folder, file) };
}
