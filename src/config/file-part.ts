import * as z from "zod";
import { isRecord } from "../schema/exactly-one-key.ts";
import type { ConfigPath } from "./diagnostics.ts";
import { childSchema, keysOf, withoutWrappers } from "./schema-keys.ts";

/** Of a key that the schema lacks, nothing is acceptable. */
const nothing = z.never();

interface PartOptions {
  readonly schema: z.core.$ZodType;
  /** What is written; undefined when nothing is. */
  readonly raw: unknown;
  readonly path: ConfigPath;
  /** Nothing is written here, and what is meant for it may stand elsewhere: under a misspelled key, in what should be a map. */
  readonly mayBeElsewhere?: boolean;
}

/**
 * One place of the file, judged by its own part of the schema: what is acceptable here counts whether or not the things around it are, so that
 * one fault hides no other. For looking for faults alone: what runs comes from a file that is acceptable as a whole.
 */
export class FilePart<T> {
  readonly path: ConfigPath;
  /** As written; undefined when nothing is. */
  readonly raw: unknown;
  readonly #schema: z.core.$ZodType;
  readonly #mayBeElsewhere: boolean;

  constructor({ schema, raw, path, mayBeElsewhere = false }: PartOptions) {
    this.#schema = schema;
    this.raw = raw;
    this.path = path;
    this.#mayBeElsewhere = mayBeElsewhere;
  }

  /** Whether it is certain what this place says, everything below it included: it is acceptable, or nothing is written and nothing need be. */
  get isKnown(): boolean {
    return this.#result() !== undefined;
  }

  /** What this place says, defaults filled in. Undefined when it says nothing, and when it is not known what it says. */
  get value(): T | undefined {
    return this.#result()?.value;
  }

  /** The place of a key of this map. */
  at<K extends keyof NonNullable<T> & string>(key: K): FilePart<NonNullable<T>[K]> {
    const raw = isRecord(this.raw) && Object.hasOwn(this.raw, key) ? this.raw[key] : undefined;
    return new FilePart<NonNullable<T>[K]>({
      schema: childSchema(this.#schema, key) ?? nothing,
      raw,
      path: [...this.path, key],
      mayBeElsewhere: raw === undefined && this.#mayHoldElsewhere(),
    });
  }

  /** The elements of this list as written; none when it is no list. */
  elements(): readonly FilePart<NonNullable<T> extends readonly (infer E)[] ? E : never>[] {
    if (!Array.isArray(this.raw)) return [];
    const schema = childSchema(this.#schema, 0) ?? nothing;
    return this.raw.map(
      (raw: unknown, index) => new FilePart({ schema, raw, path: [...this.path, index] }),
    );
  }

  /** The keys of this map as written; none when it is no map. */
  keys(): readonly string[] {
    return isRecord(this.raw) ? Object.keys(this.raw) : [];
  }

  #result(): { readonly value: T | undefined } | undefined {
    if (this.#mayBeElsewhere) return undefined;
    const result = z.safeParse(this.#schema, this.raw);
    // The schema of this place is the one that T was derived from.
    return result.success ? { value: result.data as T | undefined } : undefined;
  }

  /** Whether a key that this map lacks may have been meant all the same. */
  #mayHoldElsewhere(): boolean {
    if (this.raw === undefined) return !this.isKnown;
    const known = keysOf(withoutWrappers(this.#schema));
    return !isRecord(this.raw) || Object.keys(this.raw).some((key) => !known.includes(key));
  }
}
