/** What this part needs of a logger; pino's matches. */
export interface ApiServerLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
