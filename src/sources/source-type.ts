import type { Fields } from "../model/reading.ts";
import type { Query } from "./source.ts";

/** Kinds of connection, as written in the configuration: the one key of a connection's union. */
export type ConnectionKind = "redis";

/** Kinds of input, as written in a signal: the one key of an input's union. */
export type SourceTypeName = Query["sourceType"];

/**
 * What the rest of the house knows about a source without loading its client: declared beside it in `sources/<type>/source-type.ts`.
 */
export interface SourceType<Input = unknown, Q extends Query = Query> {
  readonly name: SourceTypeName;
  readonly connectionKind: ConnectionKind;
  /** Every field an input of this type can offer, in the order of the documentation. */
  readonly fields: readonly string[];
  /** Poll interval when the user gives none, milliseconds. */
  readonly defaultIntervalMs: number;
  /** What stands for a thing that does not exist, where the user allows that. */
  readonly missingFields: Fields;
  /** The query that an input asks for. Two inputs with equal queries share it. */
  query(input: Input): Q;
}
