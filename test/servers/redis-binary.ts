import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Vitest global setup: names the redis-server for all workers, also when vitest is run without scripts/run.mjs. */
export function setup(): void {
  const script = fileURLToPath(new URL("../../scripts/redis-server.mjs", import.meta.url));
  process.env["REDIS_SERVER"] ??= execFileSync(process.execPath, [script], {
    encoding: "utf8",
  }).trim();
}
