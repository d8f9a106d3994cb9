/**
 * Remembers what was made of a text, for the texts used last. Texts come from whoever can connect, and what is made of one grows with its length: so the cache
 * is bounded in entries, in the length of a key (what is longer is made anew each time) and in the length of all keys together.
 */
export class RecentCache<Value> {
  readonly #capacity: number;
  readonly #make: (key: string) => Value;
  readonly #values = new Map<string, Value>();
  /** Characters of all keys. */
  #weight = 0;

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
    const isFull =
      this.#values.size >= this.#capacity ||
      this.#weight + key.length > this.#capacity * meanKeyLength;
    if (isFull) this.#forgetHalf();
    this.#values.set(key, value);
    this.#weight += key.length;
    return value;
  }

  /** Forgets the older half at once: a hit then costs one look-up and no reordering. */
  #forgetHalf(): void {
    let excess = Math.ceil(this.#values.size / 2);
    for (const key of this.#values.keys()) {
      if (excess === 0) return;
      this.#values.delete(key);
      this.#weight -= key.length;
      excess -= 1;
    }
  }
}

/** Longest key that is remembered, and how long keys may be on average; characters. An HPA's selector is a few dozen. */
const maxKeyLength = 512;
const meanKeyLength = 64;
