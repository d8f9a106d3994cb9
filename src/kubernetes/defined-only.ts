/** The same keys, present only where there is a value. */
type DefinedOnly<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };

/** Leaves out keys whose value is undefined: an optional key is absent, never undefined. */
export function definedOnly<T extends object>(record: T): DefinedOnly<T> {
  const entries = Object.entries(record).filter(([, value]) => value !== undefined);
  // Object.fromEntries forgets which keys there are; these are the record's own.
  return Object.fromEntries(entries) as DefinedOnly<T>;
}
