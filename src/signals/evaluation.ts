import type { Fields } from "../model/reading.ts";
import type { SourceErrorCode } from "../model/source-error.ts";

/** One instant on both clocks: wall for timestamps, monotonic for ages and deadlines; milliseconds. */
export interface Instant {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

/** The last failed try of an input's query. */
export interface InputError {
  readonly code: SourceErrorCode;
  readonly message: string;
  /** Milliseconds since the failure, when the signal was evaluated. */
  readonly ageMs: number;
}

/**
 * What was known about one input when the signal was evaluated. The value was computed from it only when the status is `fresh` or `allowedMissing`
 * (the thing does not exist, and the user said what stands for it); fields under any other status are the last ones known, for the reader.
 */
export interface InputTrace {
  readonly name: string;
  readonly description: string;
  readonly status: "fresh" | "allowedMissing" | "stale" | "failed" | "missing";
  readonly maxAgeMs: number;
  /** Absent when no reading was ever taken. */
  readonly fields?: Fields;
  /** The instant that the fields describe, milliseconds since the epoch. */
  readonly timestampMs?: number;
  /** Age of the fields when the signal was evaluated, milliseconds. */
  readonly ageMs?: number;
  /** Set when the last try failed, also while a reading is still fresh. */
  readonly lastError?: InputError;
}

/** A number that went into a step. Dimensionless without `unit`. */
export interface StepTerm {
  readonly name: string;
  readonly value: number;
  readonly unit?: string;
}

/** One step from the inputs to the value, in order: the value's own computation, then the modifiers that are set. */
export interface EvaluationStep {
  /** `expression`, `minimum`, `maximum`. */
  readonly name: string;
  /** What was computed: the expression's text. Absent for a modifier. */
  readonly text?: string;
  readonly terms: readonly StepTerm[];
  /** After this step, in the metric's own unit; absent when the step gave none. */
  readonly value?: number;
  /** Why the step gave no value. */
  readonly error?: string;
  /** Whether the step changed the value that it was given. */
  readonly hasActed: boolean;
}

/**
 * Why there is no value: an input had no try yet, no reading within its age limit, or a failed last try; or the inputs are all there and the
 * computation gives no value that may be served.
 */
export type UnavailableCode = "InputMissing" | "InputStale" | "InputFailed" | "ValueError";

/** A reason for having no value: the closed code, and one line that is fit for HPA events. */
export interface Unavailability {
  readonly code: UnavailableCode;
  readonly reason: string;
}

/** What a read answers, until `validUntilMonotonicMs`: from then on the answer may change by time alone and is computed anew. */
export type Outcome =
  /** Computed from inputs that are all within their age limits. */
  | {
      readonly status: "available";
      /** Finite, 0 or more. */
      readonly value: number;
      /** The oldest input's instant, milliseconds since the epoch. */
      readonly timestampMs: number;
      readonly validUntilMonotonicMs: number;
    }
  /** What `onUnavailable` puts in the place of a value that cannot be computed. */
  | (Unavailability & {
      readonly status: "substituted";
      readonly policy: "Hold" | "Value";
      readonly value: number;
      /** `Hold`: the instant that the held value describes. `Value`: the instant of the evaluation. Milliseconds since the epoch. */
      readonly timestampMs: number;
      readonly validUntilMonotonicMs: number;
    })
  /** Nothing may be served. */
  | (Unavailability & {
      readonly status: "unavailable";
      readonly validUntilMonotonicMs: number;
    });

/** Everything about one evaluation of a signal: what is served and how it came about. The material of every explanation. */
export interface Evaluation {
  readonly outcome: Outcome;
  readonly evaluatedAt: Instant;
  readonly inputs: readonly InputTrace[];
  /** Empty when an input prevented the computation. */
  readonly steps: readonly EvaluationStep[];
}
