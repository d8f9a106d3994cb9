import * as z from "zod";
import { secondsSchema } from "./fields.ts";

/**
 * When to read. On a connection for all its inputs, on an input for that one alone; the input's wins, key by key. Absent keys fall back
 * to the source's own defaults.
 */
export const pollingSchema = z.strictObject({
  /** Time between two reads. Default: the source's, 5 for Redis. */
  intervalSeconds: secondsSchema({ minimum: 1, maximum: 3600, example: 5 }).optional(),
  /** Longest time that one read may take. Default 3. */
  timeoutSeconds: secondsSchema({ minimum: 1, maximum: 300, example: 3 }).optional(),
  /** Age at which a reading stops being current, at least interval + timeout. Default: 3 × interval + timeout. Prometheus: lookback delta. */
  maxAgeSeconds: secondsSchema({ minimum: 1, maximum: 86_400, example: 18 }).optional(),
});

/** Polling settings as parsed; absent means: not said here. */
export type PollingConfig = z.output<typeof pollingSchema>;
