import { createLogger } from "../../src/observability/logger.ts";
import type { LogLevel } from "../../src/observability/logger.ts";
import type { Clock } from "../../src/runtime/clock.ts";
import type { Logger } from "../../src/runtime/logger.ts";

/** The real logger, with its lines kept in memory. */
export function memoryLog(
  clock: Clock,
  level: LogLevel = "info",
): { readonly logger: Logger; readonly lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => {
    lines.push(JSON.parse(line) as Record<string, unknown>);
  };
  return { logger: createLogger({ level, clock, destination: { write } }), lines };
}
