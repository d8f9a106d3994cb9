import type { HealthRegistry, Probe } from "../runtime/health.ts";
import { renderProbe } from "../runtime/probe-text.ts";
import type { Answer } from "./answer.ts";

/** What a probe answers, and which checks failed and why: for the log, since the answer withholds the reasons. */
export interface ProbeAnswer {
  readonly answer: Answer;
  readonly failures: readonly { readonly name: string; readonly reason: string }[];
}

/**
 * Answers `/healthz`, `/livez` and `/readyz`.
 *
 * @param query the URL's part after the question mark, empty when there is none
 */
export function answerProbe(health: HealthRegistry, probe: Probe, query: string): ProbeAnswer {
  const { isHealthy, body, failures } = renderProbe(
    health.report(probe),
    new URLSearchParams(query),
  );
  return { answer: textAnswer(isHealthy ? 200 : 500, body), failures };
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
