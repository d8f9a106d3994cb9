import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { createSignalMetrics } from "../../../src/signals/metrics.ts";
import { SignalRegistry } from "../../../src/signals/signal-registry.ts";
import { ReadingStore } from "../../../src/store/reading-store.ts";
import { FakeClock } from "../../fakes/fake-clock.ts";
import { inputDefinition, signalDefinition } from "./definitions.ts";

const orders = signalDefinition({ onUnavailable: { policy: "Hold", holdMs: 60_000 } });
const returns = signalDefinition({
  name: "returns",
  metricName: "returns_waiting",
  inputs: [inputDefinition({ queryKey: "events/returns" })],
});

/** Lines of the metrics whose names start so, without comments. */
async function scrape(metrics: Registry, prefix: string): Promise<readonly string[]> {
  const text = await metrics.metrics();
  return text.split("\n").filter((line) => line.startsWith(prefix));
}

function house() {
  const clock = new FakeClock();
  const store = new ReadingStore();
  const metrics = new Registry();
  const observer = createSignalMetrics(metrics, () => registry.all());
  const registry: SignalRegistry = new SignalRegistry({ readings: store, clock, observer });
  store.add("events/jobs", 5_000);
  const reading = { timestampMs: clock.now(), monotonicMs: 0, fields: { waiting: 4 } };
  store.record("events/jobs", { status: "read", reading }, 0);
  registry.apply(registry.prepare([orders, returns]).accepted);
  return { clock, metrics, registry };
}

describe("createSignalMetrics", () => {
  it("shows the value of a signal only while it serves one", async () => {
    const { metrics, clock } = house();
    expect(await scrape(metrics, "leadline_signal_value")).toStrictEqual([
      'leadline_signal_value{namespace="shop",name="orders"} 4',
    ]);
    expect(await scrape(metrics, "leadline_signal_available")).toStrictEqual([
      'leadline_signal_available{namespace="shop",name="orders"} 1',
      'leadline_signal_available{namespace="shop",name="returns"} 0',
    ]);
    await clock.advance(30_000);
    expect(await scrape(metrics, "leadline_signal_value")).toStrictEqual([
      'leadline_signal_value{namespace="shop",name="orders"} 4',
    ]);
    expect(await scrape(metrics, "leadline_signal_available")).toStrictEqual([
      'leadline_signal_available{namespace="shop",name="orders"} 0',
      'leadline_signal_available{namespace="shop",name="returns"} 0',
    ]);
    await clock.advance(60_000);
    expect(await scrape(metrics, "leadline_signal_value")).toStrictEqual([]);
  });

  it("drops the series of a signal that is gone", async () => {
    const { metrics, registry } = house();
    registry.apply(registry.prepare([returns]).accepted);
    expect(await scrape(metrics, "leadline_signal_value")).toStrictEqual([]);
    expect(await scrape(metrics, "leadline_signal_available")).toStrictEqual([
      'leadline_signal_available{namespace="shop",name="returns"} 0',
    ]);
  });

  it("counts evaluations by outcome and times them", async () => {
    const { metrics, registry } = house();
    registry.onOutcome("events/jobs");
    expect(await scrape(metrics, "leadline_signal_evaluations_total")).toStrictEqual([
      'leadline_signal_evaluations_total{outcome="available"} 2',
      'leadline_signal_evaluations_total{outcome="substituted"} 0',
      'leadline_signal_evaluations_total{outcome="unavailable"} 1',
    ]);
    expect(
      await scrape(metrics, "leadline_signal_evaluation_duration_seconds_count"),
    ).toStrictEqual(["leadline_signal_evaluation_duration_seconds_count 3"]);
  });
});
