const redacted = "[redacted]";

/**
 * A secret that cannot be printed by accident: as text, as JSON and in `util.inspect` it is `[redacted]`. Only {@link Secret.read}
 * gives the value.
 */
export class Secret {
  /** Where the value comes from, for messages and for telling whether a configuration changed: `file /secrets/password`. Never the value. */
  readonly reference: string;
  readonly #readValue: () => string;

  /** `readValue` returns the value as of now, or throws an Error that names the reference and not the value. */
  constructor(reference: string, readValue: () => string) {
    this.reference = reference;
    this.#readValue = readValue;
  }

  /**
   * The value as of now: a file is read again at each call, so that a rotated secret is seen at the next connect. Throws when it
   * cannot be read.
   */
  read(): string {
    return this.#readValue();
  }

  /** Always `[redacted]`. */
  toString(): string {
    return redacted;
  }

  /** Always `[redacted]`. */
  toJSON(): string {
    return redacted;
  }

  /** Node's `util.inspect` hook: always `[redacted]`. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return redacted;
  }
}
