import type { Instant, Outcome, Unavailability } from "./evaluation.ts";
import type { OnUnavailable } from "./signal.ts";

/** The last value that was computed from inputs all within their age limits. */
export interface LastAvailable {
  readonly value: number;
  /** The oldest input's instant, milliseconds since the epoch. */
  readonly timestampMs: number;
  /** When the first of its inputs reaches its age limit: monotonic instant of this process, milliseconds. */
  readonly freshUntilMonotonicMs: number;
}

/**
 * How long an answer that names an age in its reason stands before it is worded anew, milliseconds. Nothing but the wording depends on it.
 */
const rewordAfterMs = 1_000;

/**
 * What is served while there is no value. `Hold`: the last available value with its own timestamp, until `holdMs` after its inputs reached
 * their age limit, then nothing. `Value`: the stated value as it is, with no modifier applied, at the present instant. Pure.
 */
export function outcomeOnUnavailable(
  policy: OnUnavailable,
  unavailability: Unavailability,
  lastAvailable: LastAvailable | undefined,
  now: Instant,
): Outcome {
  const { code, reason } = unavailability;
  const rewordAtMs = now.monotonicMs + rewordAfterMs;
  if (policy.policy === "Value") {
    const { value } = policy;
    const answer = { value, timestampMs: now.wallMs, validUntilMonotonicMs: rewordAtMs };
    return { status: "substituted", policy: "Value", code, reason, ...answer };
  }
  if (policy.policy === "Hold" && lastAvailable !== undefined) {
    const { value, timestampMs, freshUntilMonotonicMs } = lastAvailable;
    const heldUntilMs = freshUntilMonotonicMs + policy.holdMs;
    if (now.monotonicMs < heldUntilMs) {
      const validUntilMonotonicMs = Math.min(heldUntilMs, rewordAtMs);
      const answer = { value, timestampMs, validUntilMonotonicMs };
      return { status: "substituted", policy: "Hold", code, reason, ...answer };
    }
  }
  return { status: "unavailable", code, reason, validUntilMonotonicMs: rewordAtMs };
}
