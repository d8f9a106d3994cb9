import { sourceErrorCodes } from "../model/source-error.ts";
import type { SourceErrorCode } from "../model/source-error.ts";
import { backoffDelayMs } from "../runtime/backoff.ts";
import type { BackoffOptions } from "../runtime/backoff.ts";
import type { Random } from "../runtime/clock.ts";

/** Due times fall on multiples of this, milliseconds, so that what is due at about the same time is fetched in one call. */
export const tickMs = 250;

/** When a try started and ended, monotonic milliseconds. */
export interface Span {
  readonly startedMs: number;
  readonly endedMs: number;
}

/** The instants at which a query is due while it succeeds: `offsetMs` plus every multiple of `intervalMs`, monotonic milliseconds. */
export interface Grid {
  readonly intervalMs: number;
  readonly offsetMs: number;
}

/** A try that failed: when it ended (monotonic milliseconds), why, and how many in a row that makes, 1 or more. */
export interface FailedTry {
  readonly endedMs: number;
  readonly code: SourceErrorCode;
  readonly failures: number;
}

/**
 * Where in its interval something is polled: from 0 (inclusive) to `intervalMs` (exclusive), a multiple of the tick, the same for the
 * same name in every process. FNV-1a, 32 bit (draft-eastlake-fnv): even enough, and stable where `Math.random` is not.
 */
export function offsetMs(name: string, intervalMs: number): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  const slots = Math.max(1, Math.floor(intervalMs / tickMs));
  return (hash % slots) * tickMs;
}

/**
 * When a query is due after a read: the first instant of its grid that is after the start of that read and not before its end. So two polls
 * are never more than an interval apart, the first two less by chance, and only instants that a slow read overran are left out.
 */
export function dueAfterReadMs({ startedMs, endedMs }: Span, grid: Grid): number {
  const stepsTo = (instantMs: number): number => (instantMs - grid.offsetMs) / grid.intervalMs;
  const step = Math.max(Math.floor(stepsTo(startedMs)) + 1, Math.ceil(stepsTo(endedMs)));
  return grid.offsetMs + step * grid.intervalMs;
}

/**
 * When a query is due after a failed try. Transient: from 1 s on, doubling up to 30 s, or to the interval where that is longer;
 * `ResourceExhausted` never sooner than half an interval, because asking again is what the peer complains about. Permanent: from the
 * interval (at least 5 s) up to 30 s, or to the interval where that is longer: who mends the thing, or adds the first job of a workload at
 * zero, does not wait longer to be noticed. Each with jitter over the upper half.
 */
export function dueAfterFailureMs(failed: FailedTry, intervalMs: number, random: Random): number {
  const delayMs = backoffDelayMs(failed.failures, backoffOptions(failed.code, intervalMs), random);
  return roundUpToTick(failed.endedMs + delayMs);
}

/** The first multiple of the tick at or after an instant, milliseconds. */
export function roundUpToTick(instantMs: number): number {
  return Math.ceil(instantMs / tickMs) * tickMs;
}

function backoffOptions(code: SourceErrorCode, intervalMs: number): BackoffOptions {
  const maxMs = Math.max(intervalMs, 30_000);
  switch (sourceErrorCodes[code]) {
    case "permanent":
      return { initialMs: Math.max(intervalMs, 5_000), maxMs };
    case "transient": {
      const initialMs = code === "ResourceExhausted" ? intervalMs : Math.min(intervalMs, 1_000);
      return { initialMs, maxMs };
    }
  }
}
