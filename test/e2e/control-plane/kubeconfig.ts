import { writeFile } from "node:fs/promises";

/** Who a client is. */
export type Credentials =
  { readonly token: string } | { readonly certificatePem: string; readonly privateKeyPem: string };

/** A cluster and a user of it. */
export interface KubeconfigSpec {
  /** Base URL of the API server. */
  readonly server: string;
  /** Certificate authorities that its certificate is checked against. */
  readonly authorityPem: string;
  readonly credentials: Credentials;
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** Writes a kubeconfig (JSON, which is YAML) that only this user may read, and returns its path. */
export async function writeKubeconfig(path: string, spec: KubeconfigSpec): Promise<string> {
  const { credentials } = spec;
  const user =
    "token" in credentials
      ? { token: credentials.token }
      : {
          "client-certificate-data": base64(credentials.certificatePem),
          "client-key-data": base64(credentials.privateKeyPem),
        };
  const cluster = {
    server: spec.server,
    "certificate-authority-data": base64(spec.authorityPem),
  };
  const kubeconfig = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "e2e", cluster }],
    users: [{ name: "e2e", user }],
    contexts: [{ name: "e2e", context: { cluster: "e2e", user: "e2e" } }],
    "current-context": "e2e",
  };
  await writeFile(path, JSON.stringify(kubeconfig, undefined, 2), { mode: 0o600 });
  return path;
}
