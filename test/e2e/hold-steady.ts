import { setTimeout as sleep } from "node:timers/promises";

/** How long to look, and how often. */
export interface HoldOptions {
  readonly durationMs: number;
  readonly intervalMs: number;
}

/**
 * Takes a sample again and again for the whole duration, and returns all of them, the first and the last included.
 *
 * The time that passes is the subject here: something must not happen in it.
 */
export async function holdSteady<Sample>(
  sample: () => Promise<Sample>,
  options: HoldOptions,
): Promise<readonly Sample[]> {
  const endMs = performance.now() + options.durationMs;
  const samples: Sample[] = [];
  for (;;) {
    samples.push(await sample());
    const leftMs = endMs - performance.now();
    if (leftMs <= 0) return samples;
    await sleep(Math.min(options.intervalMs, leftMs));
  }
}
