import { pino } from "pino";
import type { DestinationStream } from "pino";
import { dateFromMs } from "../model/timestamp.ts";
import type { Clock } from "../runtime/clock.ts";
import { causeChain, errorFromUnknown } from "../runtime/errors.ts";
import type { Logger } from "../runtime/logger.ts";

/** Levels from the most talkative on; `silent` writes nothing. Names are pino's. */
export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

/** One of {@link logLevels}. */
export type LogLevel = (typeof logLevels)[number];

/** How to log. */
export interface LoggerOptions {
  /** Lines below this level are left out. */
  readonly level: LogLevel;
  readonly clock: Clock;
  /** Receives each line with its line feed; default: standard output, written before the call returns. */
  readonly destination?: DestinationStream;
}

/** The logger of a process: its level can be set again once the configuration is known. */
export interface ProcessLogger extends Logger {
  level: string;
}

/** Keys whose values are never written, wherever a line has them at the top or one below. */
const secretKeys = ["password", "token", "authorization", "secret", "privateKey"];

/**
 * A logger that writes JSON lines: `level` by name, `time` in RFC 3339, `msg`, and the facts of the line. Errors under `err` show type,
 * code, message, stack and causes, and nothing else that a client library hung on them (a Redis error carries the arguments of AUTH).
 */
export function createLogger({ level, clock, destination }: LoggerOptions): ProcessLogger {
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${dateFromMs(clock.now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: serializeError },
      redact: secretKeys.flatMap((key) => [key, `*.${key}`]),
    },
    destination ?? pino.destination({ fd: 1, sync: true }),
  );
}

interface SerializedError {
  readonly type: string;
  readonly code?: string;
  readonly message: string;
}

function serializeError(
  reason: unknown,
): SerializedError & { readonly stack?: string; readonly causes?: readonly SerializedError[] } {
  const error = errorFromUnknown(reason);
  const causes = causeChain(error).slice(1).map(summaryOf);
  return {
    ...summaryOf(error),
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(causes.length === 0 ? {} : { causes }),
  };
}

function summaryOf(error: Error): SerializedError {
  const code = "code" in error && typeof error.code === "string" ? { code: error.code } : {};
  return { type: error.name, ...code, message: error.message };
}
