import type { Labels } from "../model/labels.ts";
import type { Fields } from "../model/reading.ts";

/** One named input of a signal: which query it reads and how old a reading may be. */
export interface InputDefinition {
  /** The name that expressions use; a CEL identifier, unique in the signal. */
  readonly name: string;
  /** Key of the query in the store, unique over all connections. */
  readonly queryKey: string;
  /**
   * Changes when another server may stand behind the connection that the query is read over. A signal's past says nothing about that one:
   * its state and its last value start anew. Holds no secret.
   */
  readonly connectionIdentity: string;
  /** For messages: `bullmq queue "orders" on connection "jobs"`. Holds no secret. */
  readonly description: string;
  /** Oldest reading that may be used, milliseconds. */
  readonly maxAgeMs: number;
  /** Every field that the source can offer; a reading may lack some. */
  readonly fields: readonly string[];
  /** What stands for a thing that does not exist (`NotFound`); set only where the user wrote `allowMissing: true`. */
  readonly missingFields?: Fields;
}

/** How the number comes about; a union by key. */
export interface ValueDefinition {
  /** CEL over the inputs' fields. */
  readonly expression: string;
}

/** Bounds put on the value after it is computed, in the metric's own unit; absent means no bound. `minimum` <= `maximum`. */
export interface ModifiersDefinition {
  readonly minimum?: number;
  readonly maximum?: number;
}

/**
 * What a read answers while the value is unavailable. `Error`: 503 with the reason. `Hold`: the last available value for up to
 * `holdMs` after it stopped being fresh, then `Error`. `Value`: this value, always marked in the explanation.
 */
export type OnUnavailable =
  | { readonly policy: "Error" }
  | { readonly policy: "Hold"; readonly holdMs: number }
  | { readonly policy: "Value"; readonly value: number };

/** A signal as accepted: complete, checked, with every default filled in. */
export interface SignalDefinition {
  readonly namespace: string;
  readonly name: string;
  /** Canonical spelling; compared without case. */
  readonly metricName: string;
  readonly metricLabels: Labels;
  readonly inputs: readonly InputDefinition[];
  readonly value: ValueDefinition;
  readonly modifiers: ModifiersDefinition;
  readonly onUnavailable: OnUnavailable;
}

/** `namespace/name`: identity of a signal; unique over all providers. */
export function signalKey(signal: Pick<SignalDefinition, "namespace" | "name">): string {
  return `${signal.namespace}/${signal.name}`;
}
