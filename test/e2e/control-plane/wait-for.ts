import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";

/** What a probe saw, and whether that is what is waited for. */
export interface Observation<Seen> {
  readonly met: boolean;
  readonly seen: Seen;
}

const pauseMs = 100;

/**
 * Asks `probe` again and again until its condition is met, and returns what it saw then.
 *
 * A probe that throws counts as not met. When `timeoutMs` have passed, the error names the condition and the last thing seen.
 */
export async function waitFor<Seen>(
  description: string,
  probe: () => Promise<Observation<Seen>>,
  timeoutMs: number,
): Promise<Seen> {
  const startedMs = performance.now();
  for (;;) {
    const last = await probe().catch((reason: unknown) => ({ met: false as const, seen: reason }));
    if (last.met) return last.seen;
    if (performance.now() - startedMs > timeoutMs) {
      const seen =
        last.seen instanceof Error ? last.seen.message : inspect(last.seen, { depth: 6 });
      throw new Error(`not within ${timeoutMs} ms: ${description}; last seen: ${seen}`);
    }
    await sleep(pauseMs);
  }
}
