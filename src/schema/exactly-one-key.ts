import * as z from "zod";

/**
 * Check for a union by key (as volumes in core/v1): of `keys`, exactly one must be present. Runs also when other keys are wrong, so that
 * all errors show at once; stays silent about "none" when an unknown key was already reported at the same place, for that key is
 * what the user meant.
 */
export function exactlyOneKey<T>(keys: readonly string[]): z.core.$ZodCheck<T> {
  const check = z.check<T>((payload) => {
    const value: unknown = payload.value;
    if (!isRecord(value)) return;
    const present = keys.filter((key) => value[key] !== undefined);
    if (present.length === 1) return;
    const hasUnknownKey = payload.issues.some(
      (issue) => issue.code === "unrecognized_keys" && (issue.path ?? []).length === 0,
    );
    if (present.length === 0 && hasUnknownKey) return;
    const found = present.length === 0 ? "none" : present.join(" and ");
    payload.issues.push({
      code: "custom",
      path: [],
      input: value,
      message: `needs exactly one of: ${keys.join(", ")}; found ${found}`,
    });
  });
  check._zod.def.when = () => true;
  return check;
}

/** Whether the value is a map. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
