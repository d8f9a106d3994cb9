import type { Fields } from "../../model/reading.ts";
import { bullmqKeyNames } from "./read-script.ts";
import { amountFromText, counterFromText, limitFromLua } from "./stored-values.ts";
import type { BullmqField } from "./source-type.ts";

/** What a reply of the read script means. */
export type BullmqCounts =
  | { readonly status: "counted"; readonly fields: Fields }
  /** Neither `id` nor `meta` exists: no client ever made this queue, or the data are gone. */
  | { readonly status: "missing" }
  /** A command inside the script failed. `key` is the last part of the key's name, or `job` for the job at the head. */
  | { readonly status: "failed"; readonly key: string; readonly message: string }
  /** What is stored is of a kind that BullMQ's workers cannot use either. */
  | { readonly status: "misconfigured"; readonly finding: string }
  /** The reply has not the form that the script gives. */
  | { readonly status: "malformed"; readonly finding: string };

class MalformedReply extends Error {}

class UnusableValue extends Error {}

/** What a call was made with. */
export interface BullmqCallContext {
  /** Wall clock, milliseconds. */
  readonly nowMs: number;
  /** Start of the keys of the queue; see {@link bullmqKeyBase}. */
  readonly keyBase: string;
}

/**
 * The fields that a reply of the read script stands for. Pure; never throws.
 */
export function countsFromReply(
  reply: unknown,
  { nowMs, keyBase }: BullmqCallContext,
): BullmqCounts {
  if (!Array.isArray(reply)) return { status: "malformed", finding: "the reply is not an array" };
  const values: readonly unknown[] = reply;
  if (values[0] === -1) return failureFromReply(values);
  try {
    return counts(snapshotFromReply(values, keyBase), nowMs);
  } catch (reason) {
    if (reason instanceof MalformedReply) return { status: "malformed", finding: reason.message };
    if (reason instanceof UnusableValue) {
      return { status: "misconfigured", finding: reason.message };
    }
    throw reason;
  }
}

interface Snapshot {
  readonly exists: boolean;
  readonly wait: number;
  readonly pausedList: number;
  readonly active: number;
  readonly prioritized: number;
  readonly delayed: number;
  readonly due: number;
  readonly waitingChildren: number;
  readonly isPaused: boolean;
  /** Most jobs that may be active at once, over all workers; Infinity without a global limit. */
  readonly concurrency: number;
  readonly hasCounter: boolean;
  /** Jobs ever added; undefined when there is no counter, or it holds what is none. */
  readonly id: number | undefined;
  /** Undefined where there is no head, and where its text is no instant. */
  readonly headTimestampMs: number | undefined;
  readonly headScore: number | undefined;
}

const replyLength = 16;

function snapshotFromReply(values: readonly unknown[], keyBase: string): Snapshot {
  if (values.length !== replyLength) {
    throw new MalformedReply(`the reply has ${values.length} parts, not ${replyLength}`);
  }
  if (values[15] !== keyBase) throw new MalformedReply("the reply is about another queue");
  const count = (index: number, name: string): number => countFromReply(values[index], name);
  const text = (index: number, name: string): string | undefined =>
    textFromReply(values[index], name);
  const amount = (index: number, name: string): number | undefined =>
    amountFromText(text(index, name) ?? "");
  const counter = text(12, "id");
  return {
    exists: count(0, "existence") > 0,
    wait: difference(count(1, "wait"), count(3, "marker"), "wait"),
    pausedList: difference(count(2, "paused"), count(4, "marker"), "paused"),
    active: count(5, "active"),
    prioritized: count(6, "prioritized"),
    delayed: count(7, "delayed"),
    due: count(8, "due"),
    waitingChildren: count(9, "waiting-children"),
    isPaused: values[10] !== null,
    concurrency: concurrencyLimit(text(11, "meta.concurrency")),
    hasCounter: counter !== undefined,
    id: counterFromText(counter ?? ""),
    headTimestampMs: amount(13, "timestamp of the head job"),
    headScore: amount(14, "score of the head job"),
  };
}

/** Redis counts in integers; what somebody stored is text. */
function countFromReply(value: unknown, name: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new MalformedReply(`${name} is not a count`);
}

function textFromReply(value: unknown, name: string): string | undefined {
  if (value === null) return undefined;
  if (typeof value === "string") return value;
  throw new MalformedReply(`${name} is not a text`);
}

/** Without a number workers fail, and how many could run is not known: an error, and not a queue without limit. */
function concurrencyLimit(text: string | undefined): number {
  const limit = text === undefined ? Infinity : limitFromLua(text);
  if (limit === undefined) throw new UnusableValue("meta.concurrency is not a number");
  return limit;
}

function difference(count: number, marker: number, name: string): number {
  if (count >= marker) return count - marker;
  throw new MalformedReply(`${name} is shorter than its marker`);
}

function counts(snapshot: Snapshot, nowMs: number): BullmqCounts {
  if (!snapshot.exists) return { status: "missing" };
  const waiting = snapshot.wait + snapshot.pausedList;
  const takeable = takeableJobs(snapshot);
  const fields: Partial<Record<BullmqField, number | undefined>> = {
    waiting,
    prioritized: snapshot.prioritized,
    delayedDue: snapshot.due,
    active: snapshot.active,
    takeable,
    backlog: takeable + snapshot.active,
    // After a resume some jobs can be left in the list of the older form of pause, where no worker looks.
    paused: snapshot.isPaused ? waiting + snapshot.prioritized + snapshot.due : snapshot.pausedList,
    ...totals(snapshot),
    headOfLineAgeSeconds: headOfLineAgeSeconds(snapshot, nowMs),
  };
  return { status: "counted", fields: presentFields(fields) };
}

/** What a worker could take now: nothing while paused, and no more than the global concurrency leaves free. */
function takeableJobs(snapshot: Snapshot): number {
  if (snapshot.isPaused) return 0;
  const jobs = snapshot.wait + snapshot.prioritized + snapshot.due;
  return Math.min(jobs, Math.max(0, snapshot.concurrency - snapshot.active));
}

/**
 * Jobs ever added, and jobs ever finished: those added and no longer held. `id` counts every call of add, also one that a custom id or deduplication
 * made no job of, so both are upper bounds. Absent where they contradict what is held.
 */
function totals(
  snapshot: Snapshot,
): Pick<Record<BullmqField, number | undefined>, "arrivals" | "completions"> {
  const { wait, pausedList, prioritized, delayed, active, waitingChildren } = snapshot;
  const held = wait + pausedList + prioritized + delayed + active + waitingChildren;
  // A queue that exists and was never given a job has no counter yet; with jobs in it the counter is lost.
  const arrivals = snapshot.hasCounter || held > 0 ? snapshot.id : 0;
  const isConsistent = arrivals !== undefined && arrivals >= held;
  return { arrivals, completions: isConsistent ? arrivals - held : undefined };
}

/** Since its creation, or since it became due. A clock ahead of ours makes 0, not a negative age. */
function headOfLineAgeSeconds(snapshot: Snapshot, nowMs: number): number | undefined {
  const sinceMs =
    snapshot.headTimestampMs ??
    (snapshot.headScore === undefined ? undefined : Math.floor(snapshot.headScore / 4_096));
  return sinceMs === undefined ? undefined : Math.max(0, nowMs - sinceMs) / 1_000;
}

function presentFields(fields: Readonly<Record<string, number | undefined>>): Fields {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]): [string, number][] =>
      value === undefined ? [] : [[name, value]],
    ),
  );
}

function failureFromReply(values: readonly unknown[]): BullmqCounts {
  const [, index, message] = values;
  if (typeof index !== "number" || typeof message !== "string") {
    return { status: "malformed", finding: "the reply is a failure without a reason" };
  }
  return { status: "failed", key: bullmqKeyNames[index - 1] ?? "job", message };
}
