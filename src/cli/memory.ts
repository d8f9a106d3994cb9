import { setFlagsFromString } from "node:v8";

/**
 * Keeps V8's young generation at its first size. It otherwise grows to 128 MiB under a steady trickle of short-lived objects, which is what polling is, and is never
 * given back: more than half of the process' resident memory would be garbage. For the long-lived server; to be called before anything else allocates.
 */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}
