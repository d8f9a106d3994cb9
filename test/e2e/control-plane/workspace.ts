import { generateKeyPairSync } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Binaries } from "./binaries.ts";
import type { KeyPair } from "../../../src/certificates/authority.ts";
import type { Certificates } from "./certificates.ts";

/** What the components share: binaries, and a folder with their files, data and logs. */
export interface Workspace {
  readonly directory: string;
  readonly binaries: Binaries;
  readonly certificates: Certificates;
}

/** Path of a file of the workspace. */
export function fileIn(workspace: Workspace, name: string): string {
  return join(workspace.directory, name);
}

/** Path of a component's log. */
export function logOf(workspace: Workspace, component: string): string {
  return join(workspace.directory, "logs", `${component}.log`);
}

/** Writes every certificate and the service-account key as the files that the components' flags name. */
export async function writeWorkspace(workspace: Workspace): Promise<void> {
  await mkdir(fileIn(workspace, "logs"), { recursive: true });
  const { certificates } = workspace;
  const write = async (name: string, text: string): Promise<void> =>
    writeFile(fileIn(workspace, name), text, { mode: 0o600 });
  const writePair = async (name: string, pair: KeyPair): Promise<void> => {
    await write(`${name}.crt`, pair.certificatePem);
    await write(`${name}.key`, pair.privateKeyPem);
  };
  const account = generateKeyPairSync("ec", { namedCurve: "P-256" });
  await Promise.all([
    write("serving-ca.crt", certificates.servingAuthorityPem),
    write("client-ca.crt", certificates.clientAuthorityPem),
    write("front-proxy-ca.crt", certificates.frontProxyAuthorityPem),
    write("leadline-ca.crt", certificates.leadlineAuthorityPem),
    writePair("apiserver", certificates.apiServer),
    writePair("controllers", certificates.controllers),
    writePair("leadline", certificates.leadline),
    writePair("front-proxy", certificates.frontProxy),
    write(
      "service-account.key",
      account.privateKey.export({ type: "sec1", format: "pem" }).toString(),
    ),
    write(
      "service-account.pub",
      account.publicKey.export({ type: "spki", format: "pem" }).toString(),
    ),
  ]);
}
