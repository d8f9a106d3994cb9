import type { InputTrace, Unavailability, UnavailableCode } from "./evaluation.ts";

/**
 * Milliseconds as seconds for messages: tenths below 100 s, whole seconds above. Rounded up, so that what is just past a limit reads so.
 */
export function secondsText(ms: number): string {
  const seconds = ms / 1000;
  return `${seconds < 100 ? Math.ceil(seconds * 10) / 10 : Math.ceil(seconds)} s`;
}

/** Why these inputs prevent a value, all of them in one line; undefined when there is none. The code is the first one's. */
export function inputUnavailability(inputs: readonly InputTrace[]): Unavailability | undefined {
  const [first] = inputs;
  if (first === undefined) return undefined;
  return { code: codeOf(first), reason: inputs.map(inputReason).join("; ") };
}

function codeOf({ status }: InputTrace): UnavailableCode {
  if (status === "stale") return "InputStale";
  return status === "missing" ? "InputMissing" : "InputFailed";
}

/** `input "jobs" (bullmq queue "orders" on connection "events"): last sample 312 s old, limit 18 s; last error: …`. */
function inputReason(input: InputTrace): string {
  const { name, description, ageMs, maxAgeMs, lastError } = input;
  const sample =
    ageMs === undefined
      ? "no sample yet"
      : `last sample ${secondsText(ageMs)} old, limit ${secondsText(maxAgeMs)}`;
  const error = lastError === undefined ? "" : `; last error: ${lastError.message}`;
  return `input "${name}" (${description}): ${sample}${error}`;
}
