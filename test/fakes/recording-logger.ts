import { pino } from "pino";
import type { Logger } from "pino";

/** One line as it was logged. */
export type LoggedLine = Readonly<Record<string, unknown>> & { readonly msg: string };

/** A logger that keeps its lines for the test to read. */
export function recordingLogger(): { readonly logger: Logger; readonly lines: LoggedLine[] } {
  const lines: LoggedLine[] = [];
  const logger = pino(
    { level: "trace", base: null, timestamp: false },
    { write: (text: string) => void lines.push(JSON.parse(text) as LoggedLine) },
  );
  return { logger, lines };
}
