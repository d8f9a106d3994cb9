import { execFile } from "node:child_process";

/** What a kubectl call printed. */
export interface KubectlResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The real kubectl as one user. */
export interface Kubectl {
  /** Runs it and reports, whatever the exit code. */
  try(args: readonly string[], stdin?: string): Promise<KubectlResult>;
  /** Runs it and returns stdout; throws with stderr on a non-zero exit code. */
  run(args: readonly string[], stdin?: string): Promise<string>;
}

/** kubectl with a kubeconfig and with a cache folder of its own, so that nothing is remembered from elsewhere. */
export function createKubectl(binary: string, kubeconfig: string, cacheDirectory: string): Kubectl {
  const run = async (args: readonly string[], stdin = ""): Promise<KubectlResult> =>
    new Promise((resolve) => {
      const child = execFile(
        binary,
        ["--kubeconfig", kubeconfig, "--cache-dir", cacheDirectory, ...args],
        { maxBuffer: 64 * 1024 * 1024, timeout: 60_000 },
        (error, stdout, stderr) => {
          const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
          resolve({ code, stdout, stderr });
        },
      );
      // kubectl may end without reading what it did not ask for.
      child.stdin?.once("error", () => undefined);
      child.stdin?.end(stdin);
    });
  return {
    try: run,
    run: async (args, stdin) => {
      const result = await run(args, stdin);
      if (result.code === 0) return result.stdout;
      throw new Error(`kubectl ${args.join(" ")}: exit code ${result.code}: ${result.stderr}`);
    },
  };
}
