import { errorFromUnknown } from "../runtime/errors.ts";

/** Something that goes on until it is done or the signal aborts; then it rejects with the signal's reason. */
export type Task = (signal: AbortSignal) => Promise<unknown>;

/** Rejects with the signal's reason once it aborts; for racing against what cannot be aborted. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}

/**
 * Runs tasks side by side until the first one ends or `parent` aborts, aborts the others and waits for all of them. Throws the first failure that is not the
 * abort itself.
 */
export async function runTogether(tasks: readonly Task[], parent: AbortSignal): Promise<void> {
  const group = new AbortController();
  const signal = AbortSignal.any([parent, group.signal]);
  const failures: unknown[] = [];
  const run = async (task: Task): Promise<void> => {
    try {
      await task(signal);
    } catch (reason) {
      if (reason !== signal.reason) failures.push(reason);
    } finally {
      group.abort(new Error("another task has ended"));
    }
  };
  await Promise.all(tasks.map(run));
  if (failures.length > 0) throw errorFromUnknown(failures[0]);
}
