import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/logger.ts";
import type { DropReason, PollEvent, PollObserver } from "./poll-observer.ts";

/** Time in which lines of one kind are counted together, milliseconds. */
const windowMs = 60_000;
/** Lines of one kind in that time; what is over is counted. */
const linesPerWindow = 5;

interface Window {
  startedMs: number;
  lines: number;
  /** Lines held back since the last one written. */
  suppressed: number;
}

/**
 * Logs how polling goes without filling the log when a connection with a thousand queries is down: each connection and kind of finding
 * writes a few lines a minute, and the next line says how many were held back. A query that keeps failing in the same way is told again
 * only when nothing else was for a minute.
 */
export class PollLog implements PollObserver {
  readonly #logger: Logger;
  readonly #clock: Clock;
  /** By connection, then by kind of finding; both bounded. */
  readonly #windows = new Map<string, Map<string, Window>>();

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  connectionAdded(connection: string): void {
    this.#logger.info({ connection }, "Polling started");
  }

  connectionRemoved(connection: string): void {
    this.#windows.delete(connection);
    this.#logger.info({ connection }, "Polling ended");
  }

  polled(event: PollEvent): void {
    const { connection, queryKey, outcome, previous, error, isAllowed } = event;
    const fields = { connection, query: queryKey, outcome };
    if (error !== undefined && isAllowed === true) this.#absent(event, error);
    else if (error !== undefined) {
      const suppressed = this.#admit(connection, outcome, outcome !== previous);
      if (suppressed === undefined) return;
      // A fault of our own needs its stack; the others are expected, and a cause says what the peer said.
      const why = error.code === "Internal" ? { err: error } : reasonFields(error);
      this.#logger.warn({ ...fields, ...why, suppressed }, "Poll failed");
    } else if (outcome !== previous && previous !== undefined) {
      const suppressed = this.#admit(connection, outcome, true);
      if (suppressed === undefined) return;
      this.#logger.info({ ...fields, previous, suppressed }, "Poll outcome changed");
    }
  }

  fetched(): void {
    // Measured, not logged: there are several of them a second.
  }

  dropped(connection: string, reason: DropReason): void {
    const suppressed = this.#admit(connection, `dropped ${reason}`, false);
    if (suppressed === undefined) return;
    this.#logger.warn({ connection, reason, suppressed }, "Report of a source dropped");
  }

  listenerFailed(connection: string, err: Error): void {
    const suppressed = this.#admit(connection, "listener", false);
    if (suppressed === undefined) return;
    this.#logger.error({ connection, err, suppressed }, "Outcome could not be evaluated");
  }

  /** Whoever allowed it need not be warned of it, nor told again. */
  #absent({ connection, queryKey, outcome, previous }: PollEvent, error: Error): void {
    if (outcome === previous) return;
    const suppressed = this.#admit(connection, "absent", true);
    if (suppressed === undefined) return;
    const fields = { connection, query: queryKey, outcome, ...reasonFields(error), suppressed };
    this.#logger.info(fields, "Absent, as allowed");
  }

  /** How many lines were held back before this one; undefined when this one is held back too. */
  #admit(connection: string, kind: string, isChange: boolean): number | undefined {
    const nowMs = this.#clock.monotonic();
    const windows = this.#windows.get(connection) ?? new Map<string, Window>();
    this.#windows.set(connection, windows);
    const window = windows.get(kind) ?? { startedMs: -Infinity, lines: 0, suppressed: 0 };
    windows.set(kind, window);
    if (nowMs - window.startedMs >= windowMs) {
      window.startedMs = nowMs;
      window.lines = 0;
    } else if (!isChange || window.lines >= linesPerWindow) {
      window.suppressed += 1;
      return undefined;
    }
    window.lines += 1;
    const { suppressed } = window;
    window.suppressed = 0;
    return suppressed;
  }
}

function reasonFields(error: Error): { readonly reason: string; readonly cause?: string } {
  const { message, cause } = error;
  return cause instanceof Error ? { reason: message, cause: cause.message } : { reason: message };
}
