import { errorFromUnknown } from "./errors.ts";
import type { Clock } from "./clock.ts";

/** Something that runs over time. Both calls are idempotent; `stop` is bounded and safe before `start`. */
export interface Component {
  readonly name: string;
  start(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

/** How a component left: recorded for the log, never thrown, so that one stuck part cannot keep the others from stopping. */
export interface StopResult {
  readonly name: string;
  readonly durationMs: number;
  readonly error?: Error;
}

/** What a Lifecycle needs: time, and how long one component may take to stop (milliseconds). */
export interface LifecycleOptions {
  readonly clock: Clock;
  readonly stopTimeoutMs: number;
}

/**
 * Starts components in order and stops those that started in reverse order (alertmanager: app/lifecycle.go). A failed start stops what ran before it,
 * and what failed.
 */
export class Lifecycle {
  readonly #options: LifecycleOptions;
  readonly #started: Component[] = [];
  #stopping: Promise<readonly StopResult[]> | undefined;

  constructor(options: LifecycleOptions) {
    this.#options = options;
  }

  /**
   * Starts each in turn. When one fails, it and the earlier ones are stopped and the failure is thrown; the same when `signal` aborts or
   * `stop` is called meanwhile: whatever started then is stopped again.
   */
  async start(components: readonly Component[], signal: AbortSignal): Promise<void> {
    try {
      for (const component of components) await this.#startOne(component, signal);
    } catch (reason) {
      await this.stop();
      throw errorFromUnknown(reason);
    }
  }

  /** Stops in reverse order, each within the time limit; the second call waits for the first. */
  stop(): Promise<readonly StopResult[]> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #startOne(component: Component, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#assertStarting();
    this.#started.push(component);
    await component.start(signal);
    if (this.#stopping === undefined) return;
    // It may have been asked to stop before it was up.
    await this.#stopOne(component);
    this.#assertStarting();
  }

  #assertStarting(): void {
    if (this.#stopping !== undefined) throw new Error("stopped while starting");
  }

  async #stopAll(): Promise<readonly StopResult[]> {
    const results: StopResult[] = [];
    for (const component of this.#started.toReversed()) {
      results.push(await this.#stopOne(component));
    }
    return results;
  }

  async #stopOne(component: Component): Promise<StopResult> {
    const { clock, stopTimeoutMs } = this.#options;
    const startedMs = clock.monotonic();
    const deadline = clock.timeout(stopTimeoutMs);
    const expired = new Promise<never>((_resolve, reject) => {
      deadline.signal.addEventListener("abort", () => reject(deadline.signal.reason as Error), {
        once: true,
      });
    });
    try {
      await Promise.race([component.stop(), expired]);
      return { name: component.name, durationMs: clock.monotonic() - startedMs };
    } catch (reason) {
      const error = errorFromUnknown(reason);
      return { name: component.name, durationMs: clock.monotonic() - startedMs, error };
    } finally {
      deadline.clear();
    }
  }
}
