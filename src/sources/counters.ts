import type { Reading } from "../model/reading.ts";

/** Bounds of the window that a rate is taken over, milliseconds. */
export interface RateWindow {
  /** Shorter windows say more about chance than about the rate. */
  readonly minMs: number;
  /** The window that is looked for where there is a choice. */
  readonly targetMs: number;
  /** Longer windows say nothing about now. */
  readonly maxMs: number;
}

/** One minute where it can be had, half a minute at least, ten minutes at most. */
export const defaultRateWindow: RateWindow = { minMs: 30_000, targetMs: 60_000, maxMs: 600_000 };

/**
 * Mean increase per second of a cumulative counter, from one earlier reading to `reading`: of those within the window's bounds, the one whose age
 * is nearest to the target.
 *
 * A counter that fell was reset, and a reading without it breaks the line: only readings after that count. Undefined until a reading is old enough;
 * never negative. Prometheus's `rate` guesses at the missing end of a window and adds over resets; this does neither.
 *
 * @param history oldest first, without `reading`
 */
export function counterRatePerSecond(
  field: string,
  reading: Reading,
  history: readonly Reading[],
  window: RateWindow = defaultRateWindow,
): number | undefined {
  const current = reading.fields[field];
  if (current === undefined) return undefined;
  const [first, ...others] = unbrokenLine(field, { current, reading, history, window });
  if (first === undefined) return undefined;
  const distanceMs = ({ ageMs }: Earlier): number => Math.abs(ageMs - window.targetMs);
  const baseline = others.reduce(
    (best, next) => (distanceMs(next) < distanceMs(best) ? next : best),
    first,
  );
  return ((current - baseline.value) * 1_000) / baseline.ageMs;
}

interface Earlier {
  readonly value: number;
  readonly ageMs: number;
}

interface Line {
  readonly current: number;
  readonly reading: Reading;
  readonly history: readonly Reading[];
  readonly window: RateWindow;
}

/** Earlier values old enough to measure from, youngest first, up to the first reset, gap or the window's end. */
function unbrokenLine(field: string, { current, reading, history, window }: Line): Earlier[] {
  const line: Earlier[] = [];
  let later = current;
  for (const earlier of history.toReversed()) {
    const value = earlier.fields[field];
    const ageMs = reading.monotonicMs - earlier.monotonicMs;
    if (value === undefined || value > later || ageMs > window.maxMs) break;
    later = value;
    if (ageMs >= window.minMs) line.push({ value, ageMs });
  }
  return line;
}

/** Which field holds the counter, and which takes its rate. */
export interface CounterRate {
  readonly counter: string;
  readonly rate: string;
}

/** The reading with each rate that can be told; the others stay absent. Pure. */
export function withCounterRates(
  reading: Reading,
  history: readonly Reading[],
  rates: readonly CounterRate[],
): Reading {
  const told = rates.flatMap(({ counter, rate }): [string, number][] => {
    const perSecond = counterRatePerSecond(counter, reading, history);
    return perSecond === undefined ? [] : [[rate, perSecond]];
  });
  return { ...reading, fields: { ...reading.fields, ...Object.fromEntries(told) } };
}
