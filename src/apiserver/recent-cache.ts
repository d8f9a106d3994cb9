/**
 * Remembers what was made of a text, for the texts used last. Bounded in entries and in the length of a key: what is longer is made anew
 * each time.
 */
export class RecentCache<Value> {
  readonly #capacity: number;
  readonly #make: (key: string) => Value;
  readonly #values = new Map<string, Value>();

  /** @param capacity most entries kept; 1 or more */
  constructor(capacity: number, make: (key: string) => Value) {
    this.#capacity = capacity;
    this.#make = make;
  }

  /** The value for a key: remembered, or made now. */
  get(key: string): Value {
    const known = this.#values.get(key);
    if (known !== undefined) return known;
    const value = this.#make(key);
    if (key.length > maxKeyLength) return value;
    if (this.#values.size >= this.#capacity) this.#forgetHalf();
    this.#values.set(key, value);
    return value;
  }

  /** Forgets the older half at once: a hit then costs one look-up and no reordering. */
  #forgetHalf(): void {
    let excess = Math.ceil(this.#capacity / 2);
    for (const key of this.#values.keys()) {
      if (excess === 0) return;
      this.#values.delete(key);
      excess -= 1;
    }
  }
}

const maxKeyLength = 2048;
