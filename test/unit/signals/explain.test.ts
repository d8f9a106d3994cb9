import { describe, expect, it } from "vitest";
import { SourceError } from "../../../src/model/source-error.ts";
import { explainSignal } from "../../../src/signals/explain.ts";
import { explanationLines } from "../../../src/signals/explanation-text.ts";
import { SignalRegistry } from "../../../src/signals/signal-registry.ts";
import { ReadingStore } from "../../../src/store/reading-store.ts";
import { FakeClock } from "../../fakes/fake-clock.ts";
import type { SignalExplanation } from "../../../src/signals/explain.ts";
import { signalDefinition } from "./definitions.ts";

const description = 'bullmq queue "orders" on connection "events"';

/** A signal with a reading of 42 at the start of 2026, explained after the pause; the tries that follow fail. */
async function explainAfter(pauseMs: number): Promise<SignalExplanation> {
  const clock = new FakeClock();
  const store = new ReadingStore();
  const registry = new SignalRegistry({ readings: store, clock });
  store.add("events/jobs", 5_000);
  const fields = { waiting: 42, active: 1 };
  const reading = { timestampMs: clock.now(), monotonicMs: 0, fields };
  store.record("events/jobs", { status: "read", reading }, 0);
  const definition = signalDefinition({
    metricLabels: { queue: "orders" },
    value: { expression: "jobs.waiting / 30" },
    modifiers: { minimum: 1, maximum: 1.25 },
    onUnavailable: { policy: "Hold", holdMs: 60_000 },
  });
  registry.apply(registry.prepare([definition]).accepted);
  if (pauseMs > 0) {
    await clock.advance(pauseMs);
    const error = new SourceError("Unavailable", 'connection "events": refused');
    store.record("events/jobs", { status: "failed", error }, pauseMs - 1_000);
  }
  const [signal] = registry.all();
  if (signal === undefined) throw new Error("no signal");
  return explainSignal(signal);
}

const identity = {
  namespace: "shop",
  name: "orders",
  metricName: "orders_waiting",
  metricLabels: { queue: "orders" },
};
const input = {
  name: "jobs",
  description,
  maxAgeSeconds: 18,
  timestamp: "2026-01-01T00:00:00Z",
  fields: { waiting: 42, active: 1 },
};
const reason = `input "jobs" (${description}): last sample 30 s old, limit 18 s; last error: connection "events": refused`;

describe("explainSignal", () => {
  it("shows a value, what it was made of and what acted on it", async () => {
    const explanation = await explainAfter(0);
    expect(explanation).toStrictEqual({
      ...identity,
      status: "available",
      value: 1.25,
      quantity: "1250m",
      timestamp: "2026-01-01T00:00:00Z",
      evaluatedAt: "2026-01-01T00:00:00Z",
      inputs: [{ ...input, status: "fresh", ageSeconds: 0 }],
      steps: [
        {
          name: "expression",
          text: "jobs.waiting / 30",
          terms: [{ name: "jobs.waiting", value: 42 }],
          value: 1.4,
          hasActed: true,
        },
        { name: "minimum", terms: [{ name: "bound", value: 1 }], value: 1.4, hasActed: false },
        { name: "maximum", terms: [{ name: "bound", value: 1.25 }], value: 1.25, hasActed: true },
      ],
    });
    expect(explanationLines(explanation)).toStrictEqual([
      "shop/orders: 1.25, served as 1250m",
      "  metric     orders_waiting{queue=orders}",
      "  as of      2026-01-01T00:00:00Z",
      "  evaluated  2026-01-01T00:00:00Z",
      "inputs",
      `  jobs  ${description}: fresh, 0 s old, limit 18 s`,
      "    waiting = 42, active = 1",
      "steps",
      "  expression jobs.waiting / 30 (jobs.waiting = 42): 1.4",
      "  minimum (bound = 1): 1.4, unchanged",
      "  maximum (bound = 1.25): 1.25",
    ]);
  });

  it("shows a held value as held, with what prevents a new one", async () => {
    const explanation = await explainAfter(30_000);
    expect(explanation).toStrictEqual({
      ...identity,
      status: "substituted",
      value: 1.25,
      quantity: "1250m",
      timestamp: "2026-01-01T00:00:00Z",
      policy: "Hold",
      code: "InputFailed",
      reason,
      evaluatedAt: "2026-01-01T00:00:30Z",
      inputs: [
        {
          ...input,
          status: "failed",
          ageSeconds: 30,
          lastError: {
            code: "Unavailable",
            message: 'connection "events": refused',
            ageSeconds: 1,
          },
        },
      ],
      steps: [],
    });
    expect(explanationLines(explanation)).toStrictEqual([
      "shop/orders: 1.25, served as 1250m by policy Hold",
      "  metric     orders_waiting{queue=orders}",
      "  as of      2026-01-01T00:00:00Z",
      "  evaluated  2026-01-01T00:00:30Z",
      `  reason     ${reason}`,
      "inputs",
      `  jobs  ${description}: failed, 30 s old, limit 18 s`,
      "    waiting = 42, active = 1",
      '    last error 1 s ago, Unavailable: connection "events": refused',
    ]);
  });

  it("shows no value where there is none", async () => {
    const explanation = await explainAfter(78_000);
    expect(explanation.status).toBe("unavailable");
    expect("value" in explanation).toBe(false);
    expect(explanationLines(explanation).slice(0, 3)).toStrictEqual([
      "shop/orders: unavailable (InputFailed)",
      "  metric     orders_waiting{queue=orders}",
      "  evaluated  2026-01-01T00:01:18Z",
    ]);
  });

  it("is the same after a way through JSON", async () => {
    const explanation = await explainAfter(30_000);
    expect(JSON.parse(JSON.stringify(explanation))).toStrictEqual(explanation);
  });
});
