import { errorFromUnknown } from "./errors.ts";

/** Outcome of one check. `reason` is for the log and for whoever asks for the single check; aggregated probes withhold it. */
export type CheckResult =
  { readonly status: "ok" } | { readonly status: "failed"; readonly reason: string };

/** One named health check; synchronous and from memory, so that a probe never waits. */
export interface Check {
  readonly name: string;
  run(): CheckResult;
}

/** The three probe endpoints that Go API servers have (upstream: apiserver `pkg/server/healthz`). */
export type Probe = "healthz" | "livez" | "readyz";

/** What a probe found: every check in order of registration. */
export interface ProbeReport {
  readonly probe: Probe;
  readonly isHealthy: boolean;
  readonly checks: readonly { readonly name: string; readonly result: CheckResult }[];
}

/**
 * The checks of this process. `livez` and `healthz` run the liveness checks; `readyz` runs those and the readiness checks.
 * No check looks at a backend: a queue that is down must not take the whole API away.
 */
export class HealthRegistry {
  readonly #liveness: Check[] = [];
  readonly #readiness: Check[] = [];

  /** Adds a check to `livez`, `healthz` and `readyz`. */
  addLiveness(check: Check): void {
    this.#liveness.push(check);
  }

  /** Adds a check to `readyz` alone. */
  addReadiness(check: Check): void {
    this.#readiness.push(check);
  }

  /** Runs the checks of a probe. */
  report(probe: Probe): ProbeReport {
    const checks = (
      probe === "readyz" ? [...this.#liveness, ...this.#readiness] : this.#liveness
    ).map((check) => ({ name: check.name, result: runCheck(check) }));
    return { probe, isHealthy: checks.every(({ result }) => result.status === "ok"), checks };
  }
}

/** A check that throws has failed: a probe always answers. */
function runCheck(check: Check): CheckResult {
  try {
    return check.run();
  } catch (reason) {
    return { status: "failed", reason: errorFromUnknown(reason).message };
  }
}
