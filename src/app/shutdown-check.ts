import type { Check, CheckResult } from "../runtime/health.ts";

/** Readiness check `shutdown`: green until the process is asked to stop, red from then on. */
export class ShutdownCheck implements Check {
  readonly name = "shutdown";
  #isShuttingDown = false;

  /** Turns the check red for good. */
  begin(): void {
    this.#isShuttingDown = true;
  }

  /** Whether the process is on its way out. */
  run(): CheckResult {
    return this.#isShuttingDown
      ? { status: "failed", reason: "process is shutting down" }
      : { status: "ok" };
  }
}
