import { sourceErrorCodes } from "../model/source-error.ts";
import type { SourceErrorCode } from "../model/source-error.ts";
import type { RecordResult } from "../store/record-result.ts";

/**
 * How one poll of one query ended, as a metric label: `Read`, `Refused` (a reading that the store did not take: older than one
 * already held, or wanted by nobody any more), or the code of the
 * failure. A closed set.
 */
export type PollOutcome = "Read" | "Refused" | SourceErrorCode;

/** Every outcome there is; for setting counters to 0 before the first poll. */
export const pollOutcomes: readonly PollOutcome[] = [
  "Read",
  "Refused",
  // Object.keys forgets the literal keys of a constant table.
  ...(Object.keys(sourceErrorCodes) as SourceErrorCode[]),
];

/** The outcome of a poll by what the store made of it. */
export function pollOutcomeFromRecord(result: RecordResult): PollOutcome {
  switch (result.status) {
    case "stored":
      return "Read";
    case "refused":
    case "unknown":
      return "Refused";
    case "failed":
      return result.error.code;
  }
}
