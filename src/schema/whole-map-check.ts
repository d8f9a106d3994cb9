import * as z from "zod";
import { isRecord } from "./exactly-one-key.ts";

/** A finding about a map as a whole: a sentence, and the key that it is about where it is one. */
export interface MapFinding {
  readonly key?: string;
  readonly message: string;
}

/** Finds what is wrong with a map as a whole; `hasUnknownKey` when one of its keys may be meant for one that it lacks. */
export type FindInMap = (
  map: Readonly<Record<string, unknown>>,
  hasUnknownKey: boolean,
) => MapFinding | undefined;

/** Check of how the keys of a map go together. Runs also when some of them are wrong, so that all errors show at once. */
export function wholeMapCheck<T>(find: FindInMap): z.core.$ZodCheck<T> {
  const check = z.check<T>((payload) => {
    const input: unknown = payload.value;
    const hasUnknownKey = payload.issues.some(
      (issue) => issue.code === "unrecognized_keys" && (issue.path ?? []).length === 0,
    );
    const finding = isRecord(input) ? find(input, hasUnknownKey) : undefined;
    if (finding === undefined) return;
    const path = finding.key === undefined ? [] : [finding.key];
    payload.issues.push({ code: "custom", path, input, message: finding.message });
  });
  check._zod.def.when = () => true;
  return check;
}

/** Check for two keys of which each is useless without the other. */
export function bothOrNeither<T>(first: string, second: string): z.core.$ZodCheck<T> {
  return wholeMapCheck((map, hasUnknownKey) =>
    hasUnknownKey || (map[first] === undefined) === (map[second] === undefined)
      ? undefined
      : { message: `${first} and ${second} need each other` },
  );
}
