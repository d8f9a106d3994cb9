import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A new temporary folder, named after its use. */
export async function createDirectory(use: string): Promise<string> {
  return realpath(await mkdtemp(join(tmpdir(), `leadline-e2e-${use}-`)));
}

/** Removes a folder with all logs in it; LEADLINE_E2E_KEEP=1 keeps it and says where it is. */
export async function removeUnlessKept(directory: string): Promise<void> {
  if (process.env["LEADLINE_E2E_KEEP"] === "1") console.log(`kept: ${directory}`);
  else await rm(directory, { recursive: true, force: true });
}
