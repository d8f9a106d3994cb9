import type * as z from "zod";
import { isRecord } from "../schema/exactly-one-key.ts";
import type { ConfigPath } from "./diagnostics.ts";

/** Rounds of leaving out: a key whose value lacks something goes with it in the next one. */
const maxRounds = 4;

/**
 * What remains of a value that a schema refuses when the keys that it complains about are left out: enough to check its other parts, so that
 * all errors show at once. Undefined when what remains is not acceptable either, or when an element of a list would have to go, which
 * would change the meaning of the rest. Never for use: the file is refused all the same.
 */
export function salvage<S extends z.ZodType>(schema: S, value: unknown): z.output<S> | undefined {
  let remaining = value;
  for (let round = 0; round < maxRounds; round += 1) {
    const result = schema.safeParse(remaining);
    if (result.success) return result.data;
    const copy: unknown = structuredClone(remaining);
    if (!result.error.issues.every((issue) => leaveOut(copy, issue))) return undefined;
    remaining = copy;
  }
  return undefined;
}

/** Removes what the issue is about; false when that is not the key of a map. Removing the same key twice is fine. */
function leaveOut(value: unknown, issue: z.core.$ZodIssue): boolean {
  const path = issue.path.filter((segment) => typeof segment !== "symbol");
  if (issue.code === "unrecognized_keys")
    return issue.keys.every((key) => drop(value, [...path, key]));
  const isMissing = at(value, path) === undefined;
  return drop(value, isMissing ? path.slice(0, -1) : path);
}

function drop(value: unknown, path: ConfigPath): boolean {
  const key = path.at(-1);
  if (typeof key !== "string") return false;
  const parent = at(value, path.slice(0, -1));
  // A parent that is gone took the key with it.
  if (isRecord(parent)) Reflect.deleteProperty(parent, key);
  return true;
}

function at(value: unknown, path: ConfigPath): unknown {
  let current = value;
  for (const segment of path) {
    if (typeof segment === "number")
      current = Array.isArray(current) ? current[segment] : undefined;
    else
      current = isRecord(current) && Object.hasOwn(current, segment) ? current[segment] : undefined;
  }
  return current;
}
