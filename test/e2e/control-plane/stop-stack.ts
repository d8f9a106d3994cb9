/** Things that were started, stopped in reverse order. */
export class StopStack {
  readonly #stops: (() => Promise<unknown>)[] = [];

  /** Registers how to stop what has just been started, and hands it back. */
  add<Started extends { stop(): Promise<unknown> }>(started: Started): Started {
    this.#stops.push(() => started.stop());
    return started;
  }

  /** Registers a bare action. */
  defer(action: () => Promise<unknown>): void {
    this.#stops.push(action);
  }

  /** Stops everything, the last first; goes on after a failure and throws the failures together at the end. Idempotent. */
  async stop(): Promise<void> {
    const failures: unknown[] = [];
    for (let action = this.#stops.pop(); action !== undefined; action = this.#stops.pop()) {
      await action().catch((reason: unknown) => failures.push(reason));
    }
    if (failures.length > 0) throw new AggregateError(failures, "not everything could be stopped");
  }
}
