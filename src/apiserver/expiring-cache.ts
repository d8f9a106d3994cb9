import type { Clock } from "../runtime/clock.ts";

/** Bounds of an {@link ExpiringCache}: how many entries, and how long one lives (milliseconds, from the moment it is set). */
export interface ExpiringCacheOptions {
  readonly clock: Clock;
  readonly maxEntries: number;
  readonly timeToLiveMs: number;
}

interface Entry<V> {
  readonly value: V;
  readonly expiresMs: number;
}

/** Keeps the most recently used entries for a fixed time. Synchronous; drops the least recently used entry when full. */
export class ExpiringCache<V> {
  readonly #options: ExpiringCacheOptions;
  readonly #entries = new Map<string, Entry<V>>();

  constructor(options: ExpiringCacheOptions) {
    this.#options = options;
  }

  /** Entries held, expired ones included until they are looked up or displaced. */
  get size(): number {
    return this.#entries.size;
  }

  /** The value, or undefined when there is none or its time is over. */
  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    if (entry.expiresMs <= this.#options.clock.monotonic()) return undefined;
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** Puts a value in, with a new time to live. */
  set(key: string, value: V): void {
    const { clock, maxEntries, timeToLiveMs } = this.#options;
    this.#entries.delete(key);
    if (this.#entries.size >= maxEntries) {
      const oldest = this.#entries.keys().next();
      if (oldest.done !== true) this.#entries.delete(oldest.value);
    }
    this.#entries.set(key, { value, expiresMs: clock.monotonic() + timeToLiveMs });
  }

  /** Forgets everything. */
  clear(): void {
    this.#entries.clear();
  }
}
