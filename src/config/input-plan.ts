import type { SourceInput } from "../sources/schema.ts";
import { sourceTypeNames } from "../sources/schema.ts";
import type { SourceType, SourceTypeName } from "../sources/source-type.ts";
import { sourceTypes } from "../sources/registry.ts";
import type { PollingConfig } from "../schema/polling.ts";
import type { InputConfig } from "./schema.ts";

const defaultTimeoutMs = 3000;
/** Polls that may fail in a row before a reading stops being current. */
const intervalsInMaxAge = 3;

/** The one source of an input. */
export interface InputSource {
  readonly typeName: SourceTypeName;
  readonly type: SourceType;
  readonly input: SourceInput;
}

/** When an input is read, milliseconds. */
export interface PollingPlan {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly maxAgeMs: number;
}

/** The source that an input names; undefined for one that names none, which its schema refuses. */
export function sourceOf(config: InputConfig): InputSource | undefined {
  for (const typeName of sourceTypeNames) {
    const input = config[typeName];
    if (input !== undefined) return { typeName, type: sourceTypes[typeName], input };
  }
  return undefined;
}

/** What of a source decides when it is read. */
export interface PolledSource {
  readonly type: Pick<SourceType, "defaultIntervalMs">;
  readonly input: Pick<SourceInput, "polling">;
}

/** When an input is read: its own settings, else its connection's, else the source's, key by key. */
export function pollingPlan(source: PolledSource, connection: PollingConfig): PollingPlan {
  const polling = { ...connection, ...source.input.polling };
  const { intervalSeconds, timeoutSeconds, maxAgeSeconds } = polling;
  const intervalMs = milliseconds(intervalSeconds) ?? source.type.defaultIntervalMs;
  const timeoutMs = milliseconds(timeoutSeconds) ?? defaultTimeoutMs;
  const maxAgeMs = milliseconds(maxAgeSeconds) ?? intervalsInMaxAge * intervalMs + timeoutMs;
  return { intervalMs, timeoutMs, maxAgeMs };
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}
