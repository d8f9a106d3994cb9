import type { HealthRegistry, Probe } from "../runtime/health.ts";
import type { Answer } from "./answer.ts";

/** What a probe answers, and which checks failed and why: for the log, since the answer withholds the reasons. */
export interface ProbeAnswer {
  readonly answer: Answer;
  readonly failures: readonly { readonly name: string; readonly reason: string }[];
}

/**
 * Answers `/healthz`, `/livez` and `/readyz` as Go API servers do (upstream: apiserver `pkg/server/healthz/healthz.go`): `ok`, or with
 * `verbose` one line per check; `exclude=NAME` leaves a check out; a failure is a 500 that always lists the checks.
 *
 * @param query the URL's part after the question mark, empty when there is none
 */
export function answerProbe(health: HealthRegistry, probe: Probe, query: string): ProbeAnswer {
  const parameters = new URLSearchParams(query);
  const excluded = new Set(parameters.getAll("exclude").filter((name) => name !== ""));
  const failures: { name: string; reason: string }[] = [];
  let lines = "";
  for (const { name, result } of health.report(probe).checks) {
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
  if (failures.length > 0)
    return { answer: textAnswer(500, `${lines}${probe} check failed\n`), failures };
  const isVerbose = parameters.has("verbose");
  return {
    answer: textAnswer(200, isVerbose ? `${lines}${probe} check passed\n` : "ok"),
    failures,
  };
}

/** Answers a single check, `/readyz/NAME`; the reason is told, since only an authorized user gets here. Undefined when there is no such check. */
export function answerCheck(
  health: HealthRegistry,
  probe: Probe,
  name: string,
): Answer | undefined {
  const check = health.report(probe).checks.find((candidate) => candidate.name === name);
  if (check === undefined) return undefined;
  if (check.result.status === "ok") return textAnswer(200, "ok");
  return textAnswer(500, `internal server error: ${check.result.reason}\n`);
}

function textAnswer(code: number, body: string): Answer {
  return {
    code,
    headers: [
      "Cache-Control",
      "no-cache, private",
      "Content-Type",
      "text/plain; charset=utf-8",
      "X-Content-Type-Options",
      "nosniff",
    ],
    body,
  };
}
