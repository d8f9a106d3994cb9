import type { ProbeReport } from "./health.ts";

/** A probe in text, as Go API servers write it. */
export interface ProbeText {
  /** Whether every check that was not excluded passed: 200, else 500. */
  readonly isHealthy: boolean;
  readonly body: string;
  /** What failed and why: for the log, since the text withholds the reasons. */
  readonly failures: readonly { readonly name: string; readonly reason: string }[];
}

/**
 * Renders a probe (upstream: apiserver `pkg/server/healthz/healthz.go`): `ok`, or with `verbose` one line per check; `exclude=NAME`
 * leaves a check out; a failure always lists the checks and withholds the reasons.
 */
export function renderProbe(report: ProbeReport, parameters: URLSearchParams): ProbeText {
  const excluded = new Set(parameters.getAll("exclude").filter((name) => name !== ""));
  const failures: { name: string; reason: string }[] = [];
  let lines = "";
  for (const { name, result } of report.checks) {
    if (excluded.delete(name)) {
      lines += `[+]${name} excluded: ok\n`;
    } else if (result.status === "ok") {
      lines += `[+]${name} ok\n`;
    } else {
      lines += `[-]${name} failed: reason withheld\n`;
      failures.push({ name, reason: result.reason });
    }
  }
  if (excluded.size > 0) {
    const names = [...excluded].map((name) => JSON.stringify(name)).join(",");
    lines += `warn: some health checks cannot be excluded: no matches for ${names}\n`;
  }
  if (failures.length > 0) {
    return { isHealthy: false, body: `${lines}${report.probe} check failed\n`, failures };
  }
  const body = parameters.has("verbose") ? `${lines}${report.probe} check passed\n` : "ok";
  return { isHealthy: true, body, failures };
}
