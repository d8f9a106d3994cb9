import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import type { Cluster } from "./cluster.ts";

/** Folder of the repository. */
export const repositoryRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** A patch of one object: JSON patch operations, RFC 6902. */
export interface OverlayPatch {
  readonly kind: string;
  readonly name: string;
  readonly operations: readonly {
    readonly op: "add" | "replace";
    readonly path: string;
    readonly value: unknown;
  }[];
}

/**
 * Applies one of the repository's own kustomizations with the given patches.
 *
 * The overlay lives in the test's folder and refers to the repository's folder, so that what is applied are the files
 * that a user gets.
 */
export async function applyOverlay(
  cluster: Cluster,
  folder: string,
  patches: readonly OverlayPatch[],
): Promise<void> {
  const overlay = join(cluster.directory, "overlays", folder);
  await mkdir(overlay, { recursive: true });
  const kustomization = {
    apiVersion: "kustomize.config.k8s.io/v1beta1",
    kind: "Kustomization",
    resources: [relative(overlay, join(repositoryRoot, folder))],
    patches: patches.map(({ kind, name, operations }) => ({
      target: { kind, name },
      patch: stringify(operations),
    })),
  };
  await writeFile(join(overlay, "kustomization.yaml"), stringify(kustomization));
  await cluster.kubectl.run(["apply", "-k", overlay]);
}
