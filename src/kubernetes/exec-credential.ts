import { execFile } from "node:child_process";
import { z } from "zod";
import { errorCode, errorFromUnknown } from "../runtime/errors.ts";
import type { ExecConfig } from "./kubeconfig.ts";

const credentialSchema = z.object({
  status: z.object({
    token: z.string().optional(),
    clientCertificateData: z.string().optional(),
    clientKeyData: z.string().optional(),
    expirationTimestamp: z.iso.datetime({ offset: true }).optional(),
  }),
});

/** What a credential plugin printed: `status` of an ExecCredential; keys as on the wire. */
export type ExecCredential = z.infer<typeof credentialSchema>["status"];

const timeoutMs = 30_000;
const maxOutputBytes = 1 << 20;

/**
 * Runs a credential plugin once (client-go: `plugin/pkg/client/auth/exec`). It inherits `environment`, never standard input. Rejects, without its output, when
 * it cannot be started, fails, takes longer than 30 s or prints something else.
 */
export async function runCredentialPlugin(
  exec: ExecConfig,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<ExecCredential> {
  const output = await new Promise<string>((resolve, reject) => {
    const env = {
      ...environment,
      ...exec.environment,
      KUBERNETES_EXEC_INFO: JSON.stringify({
        kind: "ExecCredential",
        apiVersion: exec.apiVersion,
        spec: { interactive: false },
      }),
    };
    const options = { env, timeout: timeoutMs, maxBuffer: maxOutputBytes, windowsHide: true };
    const child = execFile(exec.command, [...exec.args], options, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(pluginError(exec, `failed with ${errorCode(error) ?? error.code ?? "a signal"}`));
    });
    child.stdin?.end();
  });
  const credential = credentialSchema.safeParse(parseJson(output, exec));
  if (!credential.success) throw pluginError(exec, "printed no ExecCredential");
  return credential.data.status;
}

function parseJson(text: string, exec: ExecConfig): unknown {
  try {
    return JSON.parse(text);
  } catch (reason) {
    throw pluginError(exec, `printed no JSON (${errorFromUnknown(reason).name})`);
  }
}

function pluginError(exec: ExecConfig, finding: string): Error {
  return new Error(`credential plugin ${JSON.stringify(exec.command)}: ${finding}`);
}
