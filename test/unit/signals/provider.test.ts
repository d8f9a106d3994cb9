import { describe, expect, it } from "vitest";
import { SourceError } from "../../../src/model/source-error.ts";
import { SignalMetricsProvider } from "../../../src/signals/provider.ts";
import { SignalRegistry } from "../../../src/signals/signal-registry.ts";
import { ReadingStore } from "../../../src/store/reading-store.ts";
import { FakeClock } from "../../fakes/fake-clock.ts";
import type { ExternalMetricsProvider } from "../../../src/apiserver/provider.ts";
import type { LabelSelector } from "../../../src/model/label-selector.ts";
import type { SignalDefinition } from "../../../src/signals/signal.ts";
import { inputDefinition, signalDefinition } from "./definitions.ts";

const startMs = Date.UTC(2026, 0, 1);
const everything: LabelSelector = { requirements: [] };
const description = 'bullmq queue "orders" on connection "events"';

function selectQueue(...values: readonly string[]): LabelSelector {
  return { requirements: [{ key: "queue", operator: "In", values }] };
}

/** A registry over a real store, with a clock that moves when told to. */
function house(definitions: readonly SignalDefinition[]) {
  const clock = new FakeClock(startMs);
  const store = new ReadingStore();
  const registry = new SignalRegistry({ readings: store, clock });
  const provider = new SignalMetricsProvider(registry);
  for (const { queryKey } of definitions.flatMap(({ inputs }) => inputs))
    store.add(queryKey, 5_000);
  const prepared = registry.prepare(definitions);
  expect(prepared.refused).toStrictEqual([]);
  registry.apply(prepared.accepted);
  const record = (queryKey: string, waiting: number): void => {
    const monotonicMs = clock.monotonic();
    const reading = { timestampMs: clock.now(), monotonicMs, fields: { waiting } };
    store.record(queryKey, { status: "read", reading }, monotonicMs);
    registry.onOutcome(queryKey);
  };
  const fail = (queryKey: string): void => {
    const error = new SourceError("Unavailable", 'connection "events": refused');
    store.record(queryKey, { status: "failed", error }, clock.monotonic());
    registry.onOutcome(queryKey);
  };
  const get = (metricName: string, selector = everything, namespace = "shop") =>
    provider.getExternalMetric({ namespace, metricName, selector });
  return { clock, registry, provider, record, fail, get };
}

function unavailable(message: string) {
  return {
    status: "failed",
    failure: {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message,
      reason: "ServiceUnavailable",
      code: 503,
    },
  };
}

function notFound(message: string) {
  const { failure } = unavailable(message);
  return { status: "failed", failure: { ...failure, reason: "NotFound", code: 404 } };
}

const red = signalDefinition({
  name: "red",
  metricName: "Depth",
  metricLabels: { queue: "red" },
  inputs: [inputDefinition({ queryKey: "events/red" })],
});
const blue = signalDefinition({
  name: "blue",
  metricName: "Depth",
  metricLabels: { queue: "blue" },
  inputs: [inputDefinition({ queryKey: "events/blue" })],
});

describe("SignalMetricsProvider", () => {
  it("fits the API's provider interface", () => {
    const { provider } = house([red]);
    const asProvider: ExternalMetricsProvider = provider satisfies ExternalMetricsProvider;
    expect(asProvider.listAllExternalMetrics()).toStrictEqual([{ metricName: "Depth" }]);
  });

  it("answers the value as a Quantity, with the reading's instant and the configured spelling", () => {
    const { get, record, clock } = house([red]);
    record("events/red", 1.5);
    clock.jumpWallClock(3_000);
    expect(get("dEPTH")).toStrictEqual({
      status: "found",
      items: [
        {
          metricName: "Depth",
          metricLabels: { queue: "red" },
          timestampMs: startMs,
          value: "1500m",
        },
      ],
    });
  });

  it.each([
    ["a name that nobody has", "length", "shop"],
    ["a name that another namespace has", "Depth", "yard"],
  ])("answers 404 for %s", (_name, metricName, namespace) => {
    const { get } = house([red]);
    const message = `the server could not find the metric ${metricName} for namespace ${namespace}`;
    expect(get(metricName, everything, namespace)).toStrictEqual(notFound(message));
  });

  it("answers no items where the metric is known and nothing matches the selector", () => {
    const { get, record } = house([red, blue]);
    record("events/red", 1);
    expect(get("depth", selectQueue("green"))).toStrictEqual({ status: "found", items: [] });
  });

  it("answers every signal that the selector matches", () => {
    const { get, record } = house([red, blue]);
    record("events/red", 1);
    record("events/blue", 2);
    const values = (selector: LabelSelector) => {
      const result = get("depth", selector);
      return result.status === "found" ? result.items.map(({ value }) => value) : result;
    };
    expect(values(everything)).toStrictEqual(["1", "2"]);
    expect(values(selectQueue("blue"))).toStrictEqual(["2"]);
  });

  it("answers 503 for the whole when one matched signal has no value", () => {
    const { get, record, fail } = house([red, blue]);
    record("events/red", 1);
    fail("events/blue");
    expect(get("depth")).toStrictEqual(
      unavailable(
        `external metric Depth: input "jobs" (${description}): no sample yet; last error: connection "events": refused`,
      ),
    );
    expect(get("depth", selectQueue("red")).status).toBe("found");
  });

  it("turns a value into 503 when its reading passes the age limit, without any outcome", async () => {
    const { get, record, clock } = house([red]);
    record("events/red", 4);
    await clock.advance(18_000);
    expect(get("depth").status).toBe("found");
    await clock.advance(1);
    expect(get("depth")).toStrictEqual(
      unavailable(
        `external metric Depth: input "jobs" (${description}): last sample 18.1 s old, limit 18 s`,
      ),
    );
    await clock.advance(293_999);
    expect(get("depth")).toStrictEqual(
      unavailable(
        `external metric Depth: input "jobs" (${description}): last sample 312 s old, limit 18 s`,
      ),
    );
    record("events/red", 5);
    expect(get("depth").status).toBe("found");
  });

  it("serves a held value until its time is over, without any outcome", async () => {
    const holding = { ...red, onUnavailable: { policy: "Hold", holdMs: 60_000 } } as const;
    const { get, record, clock } = house([holding]);
    record("events/red", 4);
    const item = { metricName: "Depth", metricLabels: { queue: "red" }, timestampMs: startMs };
    await clock.advance(77_999);
    expect(get("depth")).toStrictEqual({ status: "found", items: [{ ...item, value: "4" }] });
    await clock.advance(1);
    expect(get("depth").status).toBe("failed");
  });

  it.each([
    ["a huge value", 1e30, "9223372036854775"],
    ["the tiniest value", 1e-30, "1m"],
    ["zero", 0, "0"],
  ])("serves %s as the HPA can read it", (_name, waiting, quantity) => {
    const { get, record } = house([red]);
    record("events/red", waiting);
    const result = get("depth");
    expect(result.status === "found" ? result.items[0]?.value : result).toBe(quantity);
  });

  it("answers the very same object while the evaluation stands", () => {
    const { get, record } = house([red]);
    record("events/red", 4);
    expect(get("depth")).toBe(get("depth"));
  });

  it("lists each metric name once", () => {
    const { provider } = house([red, { ...blue, metricName: "depth" }, signalDefinition()]);
    expect(provider.listAllExternalMetrics()).toStrictEqual([
      { metricName: "Depth" },
      { metricName: "orders_waiting" },
    ]);
  });
});
