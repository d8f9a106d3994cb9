import * as z from "zod";
import type { ConfigPath } from "./diagnostics.ts";

/** The schema at a path below `schema`, without the wrappers for absence and defaults; undefined where the path leaves it. */
export function schemaAt(schema: z.core.$ZodType, path: ConfigPath): z.core.$ZodType | undefined {
  let current: z.core.$ZodType | undefined = unwrap(schema);
  for (const segment of path) {
    if (current === undefined) return undefined;
    current = childOf(current, segment);
  }
  return current;
}

/** The keys of a map with fixed keys, in the order of the schema; none for anything else. */
export function keysOf(schema: z.core.$ZodType | undefined): readonly string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

function childOf(schema: z.core.$ZodType, segment: string | number): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodArray) return unwrap(schema.element);
  if (!(schema instanceof z.ZodObject)) return undefined;
  const shape: Readonly<Record<string, z.core.$ZodType | undefined>> = schema.shape;
  const child = Object.hasOwn(shape, segment) ? shape[segment] : undefined;
  return child === undefined ? undefined : unwrap(child);
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  let current = schema;
  while (
    current instanceof z.ZodOptional ||
    current instanceof z.ZodDefault ||
    current instanceof z.ZodPrefault
  ) {
    current = current.unwrap();
  }
  // Of a union, the map is the member that has keys (a user name is text or a reference).
  if (!(current instanceof z.ZodUnion)) return current;
  return current.options.find((option) => option instanceof z.ZodObject) ?? current;
}
