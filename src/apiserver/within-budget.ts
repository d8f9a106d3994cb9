import type { Clock } from "../runtime/clock.ts";

/** What {@link withinBudget} needs: time, how much of it there is (milliseconds), and what to say when it is used up. */
export interface Budget<Value> {
  readonly clock: Clock;
  readonly budgetMs: number;
  readonly onLate: () => Value;
}

/** The promise's value, or what `onLate` says when that comes first; whatever the promise does later is dropped. Leaves no timer behind. */
export async function withinBudget<Value>(
  promise: Promise<Value>,
  { clock, budgetMs, onLate }: Budget<Value>,
): Promise<Value> {
  const deadline = clock.timeout(Math.max(0, budgetMs));
  const late = new Promise<Value>((resolve) => {
    deadline.signal.addEventListener("abort", () => resolve(onLate()), { once: true });
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    deadline.clear();
  }
}
