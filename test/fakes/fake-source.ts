import type { Reading } from "../../src/model/reading.ts";
import type { FetchOutcome, Query, Report, Source } from "../../src/sources/source.ts";

/** One call of `fetch` that a test looks into and answers. */
export interface FakeFetch {
  readonly queries: readonly Query[];
  readonly keys: readonly string[];
  readonly signal: AbortSignal;
  /** Reports an outcome, as the source under test would, as often as the test likes. */
  readonly report: (key: string, outcome: FetchOutcome) => void;
  /** Lets `fetch` return. */
  readonly finish: () => void;
  /** Lets `fetch` reject. */
  readonly fail: (reason: unknown) => void;
}

/** What a fake source does with a call; by default it waits for the test to answer. */
export type FakeBehaviour = (fetch: FakeFetch) => void;

/** A source whose every answer a test decides. */
export class FakeSource implements Source {
  /** Every call so far, oldest first. */
  readonly fetches: FakeFetch[] = [];
  closed = 0;
  /** What the next calls do. */
  behaviour: FakeBehaviour;
  derive?: (reading: Reading, history: readonly Reading[]) => Reading;

  constructor(behaviour: FakeBehaviour = () => undefined) {
    this.behaviour = behaviour;
  }

  /** The newest call; throws while there is none. */
  get last(): FakeFetch {
    const last = this.fetches.at(-1);
    if (last === undefined) throw new Error("no fetch yet");
    return last;
  }

  fetch(queries: readonly Query[], report: Report<Query>, signal: AbortSignal): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const call: FakeFetch = {
        queries,
        keys: queries.map(({ key }) => key),
        signal,
        report: (key, outcome) =>
          report(queries.find((query) => query.key === key) ?? fakeQuery(key), outcome),
        finish: resolve,
        fail: reject,
      };
      this.fetches.push(call);
      this.behaviour(call);
    });
  }

  close(): Promise<void> {
    this.closed += 1;
    return Promise.resolve();
  }
}

/** A query of the fake source. */
export function fakeQuery(key: string): Query {
  return { key, sourceType: "bullmq", description: `queue "${key}"` };
}

/** A behaviour: answers every query at once with what `outcome` gives for it, and returns. */
export function answering(outcome: (key: string) => FetchOutcome): FakeBehaviour {
  return (fetch) => {
    for (const key of fetch.keys) fetch.report(key, outcome(key));
    fetch.finish();
  };
}
