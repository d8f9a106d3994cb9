import { readFileSync } from "node:fs";
import type { Answer } from "./load-generator.ts";

interface Change {
  readonly length: number;
  readonly beforeMs: number;
  readonly afterMs: number;
}

/** What checking answers against the truth found. */
export interface TruthReport {
  readonly checked: number;
  /** Answers whose value the queue never had, or had only longer ago than the age limit. */
  readonly wrong: readonly string[];
  /** How long before it was asked for the value had stopped being true, milliseconds; 0 when it still was. */
  readonly agesMs: readonly number[];
}

/** Reads the producer's log: for each queue, when it came to hold how many jobs. */
export function readProducerLog(file: string): ReadonlyMap<string, ReadonlyMap<number, Change>> {
  const changes = new Map<string, Map<number, Change>>();
  for (const text of readFileSync(file, "utf8").split("\n")) {
    if (text === "") continue;
    const line = JSON.parse(text) as Change & { queue: string };
    let ofQueue = changes.get(line.queue);
    if (ofQueue === undefined) changes.set(line.queue, (ofQueue = new Map<number, Change>()));
    ofQueue.set(line.length, line);
  }
  return changes;
}

/**
 * Holds every answer against the log: the queue must have had exactly that many jobs at some instant within `maxAgeMs` before the read.
 *
 * @param queueOf names the queue behind a path
 */
export function checkAnswers(
  answers: readonly Answer[],
  log: ReadonlyMap<string, ReadonlyMap<number, Change>>,
  queueOf: (path: string) => string,
  maxAgeMs: number,
): TruthReport {
  const wrong: string[] = [];
  const agesMs: number[] = [];
  for (const answer of answers) {
    const queue = queueOf(answer.path);
    const value = Number((answer.value ?? "absent").replace(/k$/u, "000"));
    const became = log.get(queue)?.get(value);
    const ended = log.get(queue)?.get(value + 1);
    const ageMs = ended === undefined ? 0 : Math.max(0, answer.sentMs - ended.afterMs);
    const wasTrue = became !== undefined && became.beforeMs <= answer.receivedMs;
    if (answer.code !== 200 || !wasTrue || ageMs > maxAgeMs) {
      wrong.push(`${queue}: ${answer.code} ${String(answer.value)}, ${ageMs} ms old`);
    } else agesMs.push(ageMs);
  }
  return { checked: answers.length, wrong, agesMs };
}
