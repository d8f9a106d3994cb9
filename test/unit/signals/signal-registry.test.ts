import { describe, expect, it } from "vitest";
import { SignalRegistry } from "../../../src/signals/signal-registry.ts";
import { ReadingStore } from "../../../src/store/reading-store.ts";
import { FakeClock } from "../../fakes/fake-clock.ts";
import type { SignalDefinition } from "../../../src/signals/signal.ts";
import { inputDefinition, signalDefinition } from "./definitions.ts";

const startMs = Date.UTC(2026, 0, 1);

/** A registry over a real store, and the evaluations that an observer was told of. */
function house() {
  const clock = new FakeClock(startMs);
  const store = new ReadingStore();
  const evaluated: string[] = [];
  const registry = new SignalRegistry({
    readings: store,
    clock,
    observer: { evaluated: ({ outcome }) => void evaluated.push(outcome.status) },
  });
  const apply = (definitions: readonly SignalDefinition[]) => {
    const { accepted, refused } = registry.prepare(definitions);
    expect(refused).toStrictEqual([]);
    return registry.apply(accepted);
  };
  const record = (queryKey: string, waiting: number): void => {
    store.add(queryKey, 5_000);
    const monotonicMs = clock.monotonic();
    const reading = { timestampMs: clock.now(), monotonicMs, fields: { waiting } };
    store.record(queryKey, { status: "read", reading }, monotonicMs);
  };
  const outcome = (key: string) => registry.served(key)?.evaluation.outcome;
  return { clock, registry, evaluated, apply, record, outcome };
}

const orders = signalDefinition({ onUnavailable: { policy: "Hold", holdMs: 60_000 } });
const returns = signalDefinition({
  name: "returns",
  metricName: "returns_waiting",
  inputs: [inputDefinition({ queryKey: "events/returns" })],
});

describe("SignalRegistry", () => {
  it("evaluates what is new at once, from the readings that are there", () => {
    const { apply, record, outcome } = house();
    record("events/jobs", 4);
    expect(apply([orders])).toStrictEqual({ added: ["shop/orders"], changed: [], removed: [] });
    expect(outcome("shop/orders")).toMatchObject({ status: "available", value: 4 });
  });

  it("evaluates on an outcome exactly the signals that read that query", () => {
    const { apply, registry, evaluated } = house();
    apply([orders, returns]);
    evaluated.length = 0;
    registry.onOutcome("events/returns");
    registry.onOutcome("events/nobody");
    expect(evaluated).toStrictEqual(["unavailable"]);
  });

  it("evaluates a signal once per outcome, whatever the number of inputs on that query", () => {
    const { apply, registry, evaluated } = house();
    const second = inputDefinition({ name: "again", maxAgeMs: 5_000 });
    apply([signalDefinition({ inputs: [inputDefinition(), second] })]);
    evaluated.length = 0;
    registry.onOutcome("events/jobs");
    expect(evaluated).toHaveLength(1);
  });

  it("evaluates nothing at a read while the answer stands", async () => {
    const { apply, record, registry, evaluated, clock } = house();
    record("events/jobs", 4);
    apply([orders]);
    evaluated.length = 0;
    await clock.advance(17_999);
    registry.served("shop/orders");
    registry.servedByMetric("shop", "ORDERS_WAITING");
    expect(evaluated).toStrictEqual([]);
    await clock.advance(2);
    registry.served("shop/orders");
    expect(evaluated).toStrictEqual(["substituted"]);
  });

  it("keeps state and answer of what did not change, also through a commit in another order", async () => {
    const { apply, record, outcome, clock, evaluated } = house();
    record("events/jobs", 4);
    apply([orders, returns]);
    evaluated.length = 0;
    expect(apply([returns, structuredClone(orders)])).toStrictEqual({
      added: [],
      changed: [],
      removed: [],
    });
    expect(evaluated).toStrictEqual([]);
    await clock.advance(30_000);
    expect(outcome("shop/orders")).toMatchObject({ status: "substituted", value: 4 });
  });

  it("starts what changed without state: a value of another definition is never held", async () => {
    const { apply, record, outcome, clock } = house();
    record("events/jobs", 4);
    apply([orders]);
    await clock.advance(30_000);
    const changed = { ...orders, value: { expression: "jobs.waiting * 2" } };
    expect(apply([changed])).toStrictEqual({ added: [], changed: ["shop/orders"], removed: [] });
    expect(outcome("shop/orders")).toMatchObject({ status: "unavailable", code: "InputStale" });
  });

  it("keeps what is held when only the answer in its place changes", async () => {
    const { apply, record, outcome, clock } = house();
    record("events/jobs", 4);
    apply([orders]);
    await clock.advance(30_000);
    const longer = { ...orders, onUnavailable: { policy: "Hold" as const, holdMs: 600_000 } };
    expect(apply([longer]).changed).toStrictEqual(["shop/orders"]);
    await clock.advance(300_000);
    expect(outcome("shop/orders")).toMatchObject({ status: "substituted", value: 4 });
    await clock.advance(400_000);
    expect(outcome("shop/orders")).toMatchObject({ status: "unavailable" });
  });

  it("starts a signal without state when another server may stand behind one of its inputs", async () => {
    const { apply, record, outcome, clock } = house();
    const both = (connectionIdentity: string) => ({
      ...orders,
      inputs: [inputDefinition(), inputDefinition({ name: "more", connectionIdentity })],
    });
    record("events/jobs", 4);
    apply([both("events-1")]);
    await clock.advance(30_000);
    expect(outcome("shop/orders")).toMatchObject({ status: "substituted", value: 4 });
    expect(apply([both("events-2")]).changed).toStrictEqual(["shop/orders"]);
    expect(outcome("shop/orders")).toMatchObject({ status: "unavailable" });
  });

  it("forgets what is gone: its name, its metric and its query", () => {
    const { apply, registry, evaluated } = house();
    apply([orders, returns]);
    expect(apply([returns]).removed).toStrictEqual(["shop/orders"]);
    evaluated.length = 0;
    registry.onOutcome("events/jobs");
    expect(evaluated).toStrictEqual([]);
    expect(registry.served("shop/orders")).toBeUndefined();
    expect(registry.servedByMetric("shop", "orders_waiting")).toBeUndefined();
    expect(registry.definitions()).toStrictEqual([returns]);
    expect(registry.all().map(({ definition }) => definition)).toStrictEqual([returns]);
  });

  it("changes nothing when it prepares", () => {
    const { apply, registry } = house();
    apply([orders]);
    registry.prepare([returns]);
    expect(registry.definitions()).toStrictEqual([orders]);
  });

  it("refuses one by one, each with everything that is wrong with it", () => {
    const { registry } = house();
    const broken = { ...returns, value: { expression: "jobs.depth" } };
    const { accepted, refused } = registry.prepare([orders, broken]);
    expect(accepted.map(({ definition }) => definition)).toStrictEqual([orders]);
    expect(refused).toStrictEqual([
      {
        definition: broken,
        errors: [
          {
            path: ["value", "expression"],
            message: 'input "jobs" has no field "depth"; its fields: waiting, active',
            offset: 5,
          },
        ],
      },
    ]);
  });

  it.each([
    [
      "a signal that is defined twice",
      orders,
      { path: ["metadata", "name"], message: 'signal "shop/orders" is defined twice' },
    ],
    [
      "a metric with the same labels in another case, which an HPA would add up twice",
      { ...returns, metricName: "Orders_Waiting" },
      {
        path: ["metric"],
        message: 'metric "Orders_Waiting" with the same labels is that of signal "shop/orders"',
      },
    ],
  ])("refuses %s", (_name, second, error) => {
    const { registry } = house();
    const { accepted, refused } = registry.prepare([orders, second]);
    expect(accepted).toHaveLength(1);
    expect(refused).toStrictEqual([{ definition: second, errors: [error] }]);
  });

  it("accepts one metric name with other labels or in another namespace", () => {
    const { registry } = house();
    const definitions = [
      orders,
      { ...returns, metricName: "orders_waiting", metricLabels: { queue: "returns" } },
      { ...orders, namespace: "yard" },
    ];
    expect(registry.prepare(definitions).refused).toStrictEqual([]);
  });
});
