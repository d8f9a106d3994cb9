import type { Fields, Reading } from "../model/reading.ts";
import { SourceError } from "../model/source-error.ts";

/** Most fields that one reading may have: the store's memory is fixed whatever a peer sends. */
export const maxFieldsPerReading = 64;

/** A reading as the store holds it, or why it cannot be held. */
export type AcceptedReading =
  | { readonly status: "accepted"; readonly reading: Reading }
  | { readonly status: "failed"; readonly error: SourceError };

/**
 * The store's door. A reading passes whole or not at all: one value that is not a finite number, an instant that is none, or too many
 * fields make it a `DataLoss`. What passes is a frozen copy. An instant later than the arrival (a peer whose clock is ahead) becomes the
 * arrival, so that no reading is ever younger than it can be known to be.
 */
export function acceptReading(
  queryKey: string,
  reading: Reading,
  arrivedMonotonicMs: number,
): AcceptedReading {
  const dataLoss = (finding: string): AcceptedReading => ({
    status: "failed",
    error: new SourceError("DataLoss", `query ${JSON.stringify(queryKey)}: ${finding}`),
  });
  const { timestampMs, monotonicMs } = reading;
  if (!Number.isFinite(timestampMs) || !Number.isFinite(monotonicMs)) {
    return dataLoss("the reading carries no valid instant");
  }
  const entries = Object.entries(reading.fields);
  if (entries.length > maxFieldsPerReading) {
    return dataLoss(`the reading has ${entries.length} fields, at most ${maxFieldsPerReading} fit`);
  }
  const fields: Record<string, number> = {};
  for (const [name, value] of entries) {
    if (!isFiniteNumber(value)) return dataLoss(`field ${JSON.stringify(name)} is not finite`);
    fields[name] = value;
  }
  const instantMs = Math.min(monotonicMs, arrivedMonotonicMs);
  return {
    status: "accepted",
    reading: { timestampMs, monotonicMs: instantMs, fields: Object.freeze<Fields>(fields) },
  };
}

/** Whether it is a number at all: types do not hold at run time for what a peer made of its answer. */
function isFiniteNumber(value: unknown): boolean {
  return Number.isFinite(value);
}
