import { readFileSync } from "node:fs";
import type { BuildInfo } from "../apiserver/version.ts";

/** What this build is; read from the package beside it. Throws when the installation lacks it. */
export function readBuildInfo(): BuildInfo {
  const file = new URL("../../package.json", import.meta.url);
  // npm made sure of the shape when the package was installed.
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { readonly version: string };
  return {
    version,
    platform: `${process.platform}/${process.arch === "x64" ? "amd64" : process.arch}`,
  };
}
