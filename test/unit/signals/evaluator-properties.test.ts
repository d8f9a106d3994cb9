import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SourceError } from "../../../src/model/source-error.ts";
import { emptySignalState } from "../../../src/signals/evaluator.ts";
import { SignalMetricsProvider } from "../../../src/signals/provider.ts";
import { compileSignal } from "../../../src/signals/signal-compiler.ts";
import { SignalRegistry } from "../../../src/signals/signal-registry.ts";
import { signalKey } from "../../../src/signals/signal.ts";
import { ReadingStore } from "../../../src/store/reading-store.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import type { Clock } from "../../../src/runtime/clock.ts";
import type { Evaluation } from "../../../src/signals/evaluation.ts";
import type { SignalEvaluator, SignalState } from "../../../src/signals/evaluator.ts";
import type { OnUnavailable, SignalDefinition } from "../../../src/signals/signal.ts";
import { inputDefinition, signalDefinition } from "./definitions.ts";

const startMs = Date.UTC(2026, 0, 1);
const holdMs = 30_000;
const minimum = 2;
const maximum = 500;
const inputs = [
  inputDefinition({ name: "a", queryKey: "a", maxAgeMs: 10_000 }),
  inputDefinition({ name: "b", queryKey: "b", maxAgeMs: 25_000 }),
];

function definitionWith(onUnavailable: OnUnavailable): SignalDefinition {
  return signalDefinition({
    inputs,
    value: { expression: "a.waiting + b.waiting / 2" },
    modifiers: { minimum, maximum },
    onUnavailable,
  });
}

/** One thing that happens to a query, `afterMs` after the one before: a whole reading, one that lacks the field, a failure, or nothing. */
interface Event {
  readonly afterMs: number;
  readonly queryKey: string;
  readonly what: "read" | "partial" | "failed" | "notFound" | "quiet";
  readonly waiting: number;
}

const histories = fc.array(
  fc.record<Event>({
    afterMs: fc.oneof(fc.nat({ max: 3_000 }), fc.nat({ max: 40_000 })),
    queryKey: fc.constantFrom("a", "b"),
    what: fc.constantFrom("read", "read", "read", "partial", "failed", "notFound", "quiet"),
    waiting: fc.oneof(fc.nat({ max: 1_000 }), fc.constantFrom(0, 0.25, 1e30, -5)),
  }),
  { minLength: 1, maxLength: 40 },
);

/** The newest reading of a query as the test itself remembers it. */
interface Remembered {
  readonly monotonicMs: number;
  readonly waiting: number | undefined;
}

function record(store: ReadingStore, event: Event, nowMs: number): void {
  const { queryKey, what, waiting } = event;
  if (what === "quiet") return;
  if (what === "failed" || what === "notFound") {
    const error = new SourceError(what === "failed" ? "Unavailable" : "NotFound", "no answer");
    store.record(queryKey, { status: "failed", error }, nowMs);
    return;
  }
  const fields: Record<string, number> = what === "read" ? { waiting } : { active: 1 };
  const reading = { timestampMs: startMs + nowMs, monotonicMs: nowMs, fields };
  store.record(queryKey, { status: "read", reading }, nowMs);
}

function observe(store: ReadingStore, nowMs: number) {
  return {
    at: { wallMs: startMs + nowMs, monotonicMs: nowMs },
    inputs: inputs.map(({ queryKey, maxAgeMs }) => store.freshness(queryKey, maxAgeMs, nowMs)),
  };
}

function evaluatorWith(onUnavailable: OnUnavailable): SignalEvaluator {
  const compilation = compileSignal(definitionWith(onUnavailable));
  if (compilation.status === "rejected") throw new Error(JSON.stringify(compilation.errors));
  return compilation.evaluator;
}

/** The value as the readings that the test remembers give it, or undefined where one of them is missing, old, partial or unfit. */
function expectedValue(newest: ReadonlyMap<string, Remembered>, nowMs: number): number | undefined {
  const [a, b] = inputs.map(({ queryKey, maxAgeMs }) => {
    const reading = newest.get(queryKey);
    return reading !== undefined && nowMs - reading.monotonicMs <= maxAgeMs
      ? reading.waiting
      : undefined;
  });
  if (a === undefined || b === undefined || a + b / 2 < 0) return undefined;
  return Math.min(Math.max(a + b / 2, minimum), maximum);
}

/** Replays a history through an evaluator, with what the test itself remembers beside every evaluation. */
function replay(
  evaluator: SignalEvaluator,
  history: readonly Event[],
  visit: (step: {
    readonly nowMs: number;
    readonly newest: ReadonlyMap<string, Remembered>;
    readonly store: ReadingStore;
    readonly state: SignalState;
    readonly evaluation: Evaluation;
  }) => void,
): void {
  const store = new ReadingStore();
  for (const { queryKey } of inputs) store.add(queryKey, 5_000);
  const newest = new Map<string, Remembered>();
  let nowMs = 0;
  let state: SignalState = emptySignalState;
  for (const event of history) {
    nowMs += event.afterMs;
    record(store, event, nowMs);
    if (event.what === "read") newest.set(event.queryKey, { monotonicMs: nowMs, ...event });
    if (event.what === "partial") {
      newest.set(event.queryKey, { monotonicMs: nowMs, waiting: undefined });
    }
    const before = state;
    const step = evaluator.evaluate(state, observe(store, nowMs));
    state = step.state;
    visit({ nowMs, newest, store, state: before, evaluation: step.evaluation });
  }
}

describe("SignalEvaluator over random histories", () => {
  it("under Error serves exactly what readings within their age limits give, and else nothing", () => {
    fc.assert(
      fc.property(histories, (history) => {
        replay(evaluatorWith({ policy: "Error" }), history, ({ nowMs, newest, evaluation }) => {
          const value = expectedValue(newest, nowMs);
          const { outcome } = evaluation;
          expect(outcome.status).toBe(value === undefined ? "unavailable" : "available");
          expect("value" in outcome ? outcome.value : undefined).toBe(value);
          if (outcome.status === "available") {
            const instants = [...newest.values()].map(({ monotonicMs }) => monotonicMs);
            expect(outcome.timestampMs).toBe(startMs + Math.min(...instants));
          }
        });
      }),
    );
  });

  it("under Hold serves the last available value with its instant, never beyond the limit", () => {
    fc.assert(
      fc.property(histories, (history) => {
        let last: { value: number; timestampMs: number; freshUntilMs: number } | undefined;
        replay(evaluatorWith({ policy: "Hold", holdMs }), history, (step) => {
          const { outcome } = step.evaluation;
          const value = expectedValue(step.newest, step.nowMs);
          if (value !== undefined) {
            const { timestampMs } = "timestampMs" in outcome ? outcome : { timestampMs: NaN };
            const limits = inputs.map(
              ({ queryKey, maxAgeMs }) =>
                (step.newest.get(queryKey)?.monotonicMs ?? NaN) + maxAgeMs,
            );
            last = { value, timestampMs, freshUntilMs: Math.min(...limits) };
            expect(outcome.status).toBe("available");
          } else if (last !== undefined && step.nowMs < last.freshUntilMs + holdMs) {
            expect(outcome).toMatchObject({
              status: "substituted",
              policy: "Hold",
              value: last.value,
              timestampMs: last.timestampMs,
            });
          } else {
            expect(outcome.status).toBe("unavailable");
          }
        });
      }),
    );
  });

  it("gives the same from a state that went through JSON, at any point", () => {
    fc.assert(
      fc.property(histories, fc.constantFrom("Error", "Hold"), (history, policy) => {
        const evaluator = evaluatorWith(policy === "Hold" ? { policy, holdMs } : { policy });
        replay(evaluator, history, ({ nowMs, store, state, evaluation }) => {
          const copy = JSON.parse(JSON.stringify(state)) as SignalState;
          expect(copy).toStrictEqual(state);
          const again = evaluator.evaluate(copy, observe(store, nowMs));
          expect(again.evaluation).toStrictEqual(evaluation);
        });
      }),
    );
  });

  it("stands by an available answer until the instant that it names, and not after it", () => {
    fc.assert(
      fc.property(histories, fc.double({ min: 0, max: 1, noNaN: true }), (history, share) => {
        const evaluator = evaluatorWith({ policy: "Error" });
        replay(evaluator, history, ({ nowMs, store, state, evaluation }) => {
          const { outcome } = evaluation;
          if (outcome.status !== "available") return;
          const laterMs = nowMs + share * (outcome.validUntilMonotonicMs - nowMs);
          const later = evaluator.evaluate(state, observe(store, laterMs));
          expect(later.evaluation.outcome).toStrictEqual(outcome);
          const pastMs = outcome.validUntilMonotonicMs + 0.5;
          const past = evaluator.evaluate(state, observe(store, pastMs));
          expect(past.evaluation.outcome.status).toBe("unavailable");
        });
      }),
    );
  });
});

describe("SignalRegistry over random histories", () => {
  it("answers every read as an evaluation at that instant would, whatever was answered before", () => {
    const policies = fc.constantFrom<OnUnavailable>(
      { policy: "Error" },
      { policy: "Hold", holdMs },
      { policy: "Value", value: 3 },
    );
    fc.assert(
      fc.property(histories, policies, fc.nat({ max: 60_000 }), (history, policy, pauseMs) => {
        let nowMs = 0;
        const clock: Clock = { ...systemClock, now: () => startMs + nowMs, monotonic: () => nowMs };
        const store = new ReadingStore();
        for (const { queryKey } of inputs) store.add(queryKey, 5_000);
        const registry = new SignalRegistry({ readings: store, clock });
        const provider = new SignalMetricsProvider(registry);
        const definition = definitionWith(policy);
        const evaluator = evaluatorWith(policy);
        registry.apply(registry.prepare([definition]).accepted);
        let state: SignalState = emptySignalState;
        for (const event of history) {
          nowMs += event.afterMs;
          record(store, event, nowMs);
          registry.onOutcome(event.queryKey);
          state = evaluator.evaluate(state, observe(store, nowMs)).state;
          nowMs += pauseMs / history.length;
          const direct = evaluator.evaluate(state, observe(store, nowMs)).evaluation.outcome;
          const served = registry.served(signalKey(definition))?.evaluation.outcome;
          expect(served?.status).toBe(direct.status);
          const answer = provider.getExternalMetric({
            namespace: "shop",
            metricName: "ORDERS_WAITING",
            selector: { requirements: [] },
          });
          expect(answer.status).toBe(direct.status === "unavailable" ? "failed" : "found");
          expect(served && "value" in served ? served.value : undefined).toBe(
            "value" in direct ? direct.value : undefined,
          );
        }
      }),
    );
  });
});
