import { ApiClient } from "./api-client.ts";
import type { ManagedProcess } from "./managed-process.ts";
import type { Workspace } from "./workspace.ts";

/** Waits until `/healthz` of a controller process is green and hands the process on; stops it when that fails. */
export async function untilHealthy(
  process: ManagedProcess,
  workspace: Workspace,
  port: number,
): Promise<ManagedProcess> {
  const client = new ApiClient({
    server: `https://127.0.0.1:${port}`,
    authorityPem: workspace.certificates.servingAuthorityPem,
  });
  try {
    await process.untilReady(async () => {
      const response = await client.send({ path: "/healthz", timeoutMs: 2_000 });
      return response.status === 200;
    }, 60_000);
    return process;
  } catch (reason) {
    await process.stop();
    throw reason;
  } finally {
    await client.stop();
  }
}
