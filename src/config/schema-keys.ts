import * as z from "zod";
import type { ConfigPath } from "./diagnostics.ts";

/** The schema at a path below `schema`, without the wrappers for absence and defaults; undefined where the path leaves it. */
export function schemaAt(schema: z.core.$ZodType, path: ConfigPath): z.core.$ZodType | undefined {
  let current: z.core.$ZodType | undefined = schema;
  for (const segment of path) {
    if (current === undefined) return undefined;
    current = childSchema(current, segment);
  }
  return current && withoutWrappers(current);
}

/** The keys of a map with fixed keys, in the order of the schema; none for anything else. */
export function keysOf(schema: z.core.$ZodType | undefined): readonly string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

/** The schema of a key or an element, with its wrappers; undefined where there is none. */
export function childSchema(
  schema: z.core.$ZodType,
  segment: string | number,
): z.core.$ZodType | undefined {
  const parent = withoutWrappers(schema);
  if (parent instanceof z.ZodArray) return parent.element;
  if (parent instanceof z.ZodRecord) return parent.valueType;
  if (!(parent instanceof z.ZodObject)) return undefined;
  const shape: Readonly<Record<string, z.core.$ZodType | undefined>> = parent.shape;
  return Object.hasOwn(shape, segment) ? shape[segment] : undefined;
}

/** The schema without what says that it may be absent; of a union, the map (a user name is text or a reference). */
export function withoutWrappers(schema: z.core.$ZodType): z.core.$ZodType {
  let current = schema;
  while (
    current instanceof z.ZodOptional ||
    current instanceof z.ZodDefault ||
    current instanceof z.ZodPrefault
  ) {
    current = current.unwrap();
  }
  if (!(current instanceof z.ZodUnion)) return current;
  return current.options.find((option) => option instanceof z.ZodObject) ?? current;
}
