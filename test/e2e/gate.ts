/** Something that others wait at until it is opened. */
export class Gate {
  readonly #passed: Promise<void>;
  #open: () => void = () => undefined;

  constructor() {
    this.#passed = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  /** Resolves once the gate is open. */
  async pass(): Promise<void> {
    return this.#passed;
  }

  /** Lets everybody through from now on; idempotent. */
  open(): void {
    this.#open();
  }
}
