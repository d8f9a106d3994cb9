import type { TestProject } from "vitest/node";
import type { ControlPlaneAddress } from "./control-plane/control-plane.ts";
import { startControlPlane } from "./control-plane/control-plane.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The control plane that all end-to-end tests share. */
    readonly controlPlane: ControlPlaneAddress;
  }
}

/** Starts the control plane once for all files, and stops it after the last. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const controlPlane = await startControlPlane();
  project.provide("controlPlane", controlPlane.address);
  return async () => controlPlane.stop();
}
