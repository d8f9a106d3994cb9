import { formatSeconds } from "./chart.ts";
import type { DemoResult } from "./demo-run.ts";

/** The account of a run, and whether everything in it was as it should be. */
export interface DemoSummary {
  readonly isGood: boolean;
  readonly lines: readonly string[];
}

/** A path of many sizes keeps its ends. */
const shownSizes = 30;

function describePath(sizes: readonly number[]): string {
  if (sizes.length <= shownSizes) return sizes.join(" → ");
  const ends = shownSizes / 2;
  const left = sizes.slice(0, ends).join(" → ");
  return `${left} → … → ${sizes.slice(-ends).join(" → ")}`;
}

/** Sums a run up. It is good unless replicas moved without a number, or the API server was stopped and no read failed. */
export function summarize(result: DemoResult, timeScale: number): DemoSummary {
  const { movedWhileFrozen, apiStops, readsFailed, replicaPath } = result;
  const hasMoved = movedWhileFrozen.length > 0;
  const isUnnoticed = apiStops > 0 && readsFailed === 0;
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  const waitInCluster = seconds(result.longestWaitMs * timeScale);
  const lines = [
    `ran          ${formatSeconds(result.elapsedMs / 1000)} at time ×${timeScale} (${formatSeconds((result.elapsedMs * timeScale) / 1000)} of cluster time)`,
    `jobs         ${result.produced} produced, ${result.done} done`,
    `longest wait ${seconds(result.longestWaitMs)} (${waitInCluster} of cluster time)`,
    `replicas     ${describePath(replicaPath)}`,
    `reads        ${result.readsOk} ok, ${readsFailed} failed`,
  ];
  if (hasMoved)
    lines.push(`FAILED       replicas moved to ${movedWhileFrozen.join(", ")} while reads failed`);
  else if (isUnnoticed) lines.push("FAILED       the API server was stopped, and no read failed");
  else if (readsFailed > 0) lines.push("frozen       replicas did not move while reads failed");
  return { isGood: !hasMoved && !isUnnoticed, lines };
}
