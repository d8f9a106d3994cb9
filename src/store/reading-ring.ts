import type { Reading } from "../model/reading.ts";

/**
 * The last `capacity` readings of one query, in the order they were taken. Memory is taken once; the oldest reading makes way for a new one.
 */
export class ReadingRing {
  readonly #slots: (Reading | undefined)[];
  /** Slot of the oldest reading. */
  #head = 0;
  #size = 0;

  /** `capacity` is a whole number, 1 or more. */
  constructor(capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1) {
      throw new RangeError(`ring capacity must be a whole number of at least 1, found ${capacity}`);
    }
    this.#slots = new Array<Reading | undefined>(capacity).fill(undefined);
  }

  /** Most readings that fit. */
  get capacity(): number {
    return this.#slots.length;
  }

  /** Readings held, from 0 to `capacity`. */
  get size(): number {
    return this.#size;
  }

  /** The reading taken last; undefined while there is none. */
  get newest(): Reading | undefined {
    return this.#size === 0 ? undefined : this.#slots[this.#slot(this.#size - 1)];
  }

  /** Adds a reading as the newest; drops the oldest when the ring is full. */
  push(reading: Reading): void {
    if (this.#size < this.capacity) {
      this.#slots[this.#slot(this.#size)] = reading;
      this.#size += 1;
      return;
    }
    this.#slots[this.#head] = reading;
    this.#head = this.#slot(1);
  }

  /** Puts a reading in the place of the newest; the same as `push` while the ring is empty. */
  replaceNewest(reading: Reading): void {
    if (this.#size === 0) this.push(reading);
    else this.#slots[this.#slot(this.#size - 1)] = reading;
  }

  /** Every reading held, oldest first, in an array of the caller's own. */
  toArray(): Reading[] {
    const readings: Reading[] = [];
    for (let position = 0; position < this.#size; position += 1) {
      const reading = this.#slots[this.#slot(position)];
      if (reading !== undefined) readings.push(reading);
    }
    return readings;
  }

  /** A ring of another capacity with the newest readings of this one. */
  resized(capacity: number): ReadingRing {
    const ring = new ReadingRing(capacity);
    for (const reading of this.toArray().slice(-capacity)) ring.push(reading);
    return ring;
  }

  /** Slot of the reading at `position`, counted from the oldest. */
  #slot(position: number): number {
    return (this.#head + position) % this.#slots.length;
  }
}
