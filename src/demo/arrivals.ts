/** When jobs come: bursts at fixed times, a trickle after each, then silence until the next burst. All in seconds of demo time. */
export interface ArrivalPlan {
  readonly firstBurstSeconds: number;
  readonly burstEverySeconds: number;
  /** Jobs of the first, second, … burst; from the start again after the last. */
  readonly burstJobs: readonly number[];
  readonly trickleEverySeconds: number;
  /** How long after a burst the trickle goes on. */
  readonly trickleForSeconds: number;
}

/** Jobs that fall due in a stretch of time, and how many of its moments were bursts. */
export interface Arrivals {
  readonly jobs: number;
  readonly bursts: number;
}

/** Arrivals from `fromMs` (inclusive) to `toMs` (exclusive), milliseconds of demo time since the start. */
export function arrivalsBetween(plan: ArrivalPlan, fromMs: number, toMs: number): Arrivals {
  let jobs = 0;
  let bursts = 0;
  const isDue = (seconds: number): boolean => seconds * 1000 >= fromMs && seconds * 1000 < toMs;
  for (let index = 0; ; index += 1) {
    const burstSeconds = plan.firstBurstSeconds + index * plan.burstEverySeconds;
    if (burstSeconds * 1000 >= toMs) return { jobs, bursts };
    if (isDue(burstSeconds)) {
      bursts += 1;
      jobs += plan.burstJobs[index % plan.burstJobs.length] ?? 0;
    }
    jobs += trickleAfter(plan, burstSeconds, isDue);
  }
}

function trickleAfter(
  { trickleEverySeconds, trickleForSeconds }: ArrivalPlan,
  burstSeconds: number,
  isDue: (seconds: number) => boolean,
): number {
  let jobs = 0;
  for (let after = trickleEverySeconds; after <= trickleForSeconds; after += trickleEverySeconds) {
    if (isDue(burstSeconds + after)) jobs += 1;
  }
  return jobs;
}
