import type { Clock } from "./clock.ts";

/**
 * Waits for work that should end, but not for ever: `done` when it resolved or rejected in time, `late` when it is still under way after
 * `limitMs`. The work goes on; its rejection, whenever it comes, is handled. Leaves no timer behind.
 */
export async function within(
  clock: Clock,
  limitMs: number,
  work: Promise<unknown>,
): Promise<"done" | "late"> {
  const deadline = clock.timeout(limitMs);
  const late = new Promise<"late">((resolve) => {
    deadline.signal.addEventListener("abort", () => resolve("late"), { once: true });
  });
  const done = work.then(
    () => "done" as const,
    () => "done" as const,
  );
  try {
    return await Promise.race([done, late]);
  } finally {
    deadline.clear();
  }
}
