import { inputUnavailability } from "./unavailability.ts";
import type { Fields, Reading } from "../model/reading.ts";
import type { Failure, Freshness } from "../store/freshness.ts";
import type { Activation } from "./environment.ts";
import type { InputError, InputTrace, Instant, Unavailability } from "./evaluation.ts";
import type { InputDefinition } from "./signal.ts";

/** The inputs at one instant: fit for an evaluation, or what prevents it. */
export type ActivationResult =
  | {
      readonly status: "ready";
      readonly activation: Activation;
      /** The oldest input's instant, milliseconds since the epoch. */
      readonly timestampMs: number;
      /** Monotonic instant until which every input stays within its age limit, milliseconds. */
      readonly validUntilMonotonicMs: number;
    }
  | ({ readonly status: "prevented" } & Unavailability);

/** An input with what is known about it. */
export interface ObservedInput {
  readonly trace: InputTrace;
  /** What a computation may use; absent when nothing may be used. */
  readonly usable?: {
    readonly fields: Fields;
    readonly timestampMs: number;
    readonly validUntilMonotonicMs: number;
  };
}

/**
 * Binds what the store knows about an input to its definition. A thing that does not exist (`NotFound`) counts as the fields that the user
 * allowed for it, as long as that finding itself is within the age limit; it is newer than any reading, and failures after it take nothing away, as with a reading.
 */
export function observeInput(
  input: InputDefinition,
  freshness: Freshness,
  now: Instant,
): ObservedInput {
  const { name, description, maxAgeMs } = input;
  const subject = { name, description, maxAgeMs };
  switch (freshness.status) {
    case "fresh": {
      const { reading, ageMs, lastFailure, absence } = freshness;
      const absent = observeAbsence(
        input,
        { ...(absence && { absence }), ...(lastFailure && { failure: lastFailure }) },
        now,
      );
      if (absent !== undefined) return absent;
      const { fields, timestampMs } = reading;
      const lastError = lastFailure === undefined ? {} : { lastError: errorOf(lastFailure, now) };
      return {
        trace: { ...subject, status: "fresh", fields, timestampMs, ageMs, ...lastError },
        usable: { fields, timestampMs, validUntilMonotonicMs: reading.monotonicMs + maxAgeMs },
      };
    }
    case "stale":
      return { trace: { ...subject, status: "stale", ...lastKnown(freshness.reading, now) } };
    case "failed":
      return observeAbsence(input, freshness, now) ?? observeFailed(input, freshness, now);
    case "missing":
      return { trace: { ...subject, status: "missing" } };
  }
}

function observeFailed(
  { name, description, maxAgeMs }: InputDefinition,
  { failure, reading }: Extract<Freshness, { status: "failed" }>,
  now: Instant,
): ObservedInput {
  const known = reading === undefined ? {} : lastKnown(reading, now);
  const lastError = errorOf(failure, now);
  return { trace: { name, description, status: "failed", maxAgeMs, ...known, lastError } };
}

/** What stands for a thing that does not exist; undefined where the user allowed nothing, or the finding is too old by now. */
function observeAbsence(
  { name, description, maxAgeMs, missingFields: fields }: InputDefinition,
  { absence, failure }: { readonly absence?: Failure; readonly failure?: Failure },
  now: Instant,
): ObservedInput | undefined {
  if (fields === undefined || absence === undefined) return undefined;
  const ageMs = Math.max(0, now.monotonicMs - absence.monotonicMs);
  if (ageMs > maxAgeMs) return undefined;
  const timestampMs = now.wallMs - ageMs;
  const lastError = errorOf(failure ?? absence, now);
  return {
    trace: {
      ...{ name, description, status: "allowedMissing", maxAgeMs },
      ...{ fields, timestampMs, ageMs, lastError },
    },
    usable: { fields, timestampMs, validUntilMonotonicMs: absence.monotonicMs + maxAgeMs },
  };
}

function lastKnown(
  { fields, timestampMs, monotonicMs }: Reading,
  now: Instant,
): Pick<InputTrace, "fields" | "timestampMs" | "ageMs"> {
  return { fields, timestampMs, ageMs: Math.max(0, now.monotonicMs - monotonicMs) };
}

function errorOf({ error, monotonicMs }: Failure, now: Instant): InputError {
  const ageMs = Math.max(0, now.monotonicMs - monotonicMs);
  return { code: error.code, message: error.message, ageMs };
}

/** Joins one input or more into the variables of a program. An input that may not be used prevents the whole; all such are named. */
export function activationFromInputs(inputs: readonly ObservedInput[]): ActivationResult {
  const activation: Record<string, Fields> = {};
  let timestampMs = Infinity;
  let validUntilMonotonicMs = Infinity;
  const unusable: InputTrace[] = [];
  for (const { trace, usable } of inputs) {
    if (usable === undefined) {
      unusable.push(trace);
    } else {
      activation[trace.name] = usable.fields;
      timestampMs = Math.min(timestampMs, usable.timestampMs);
      validUntilMonotonicMs = Math.min(validUntilMonotonicMs, usable.validUntilMonotonicMs);
    }
  }
  const prevented = inputUnavailability(unusable);
  if (prevented !== undefined) return { status: "prevented", ...prevented };
  return { status: "ready", activation, timestampMs, validUntilMonotonicMs };
}
