/** Facts of one log line, camelCase keys; `err` holds an Error. Never a secret, never a whole configuration. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes one line: facts first, then a constant sentence. */
type Write = (fields: LogFields, sentence: string) => void;

/**
 * What every part needs of a logger; pino's is one. Writing never fails and never waits.
 */
export interface Logger {
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
  /** A logger that adds these facts to each of its lines. */
  child(fields: LogFields): Logger;
}
