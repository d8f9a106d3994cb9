import { InvalidArgumentError } from "commander";

/** A TCP port, 0 to 65535; 0 takes any free one. */
export function parsePort(text: string): number {
  const port = /^\d{1,5}$/u.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) throw new InvalidArgumentError("a port is an integer from 0 to 65535.");
  return port;
}

/** Whole seconds, 0 to 3600. */
export function parseSeconds(text: string): number {
  const seconds = /^\d{1,4}$/u.test(text) ? Number(text) : Number.NaN;
  if (!(seconds <= 3600)) {
    throw new InvalidArgumentError("whole seconds from 0 to 3600, without a unit.");
  }
  return seconds;
}
