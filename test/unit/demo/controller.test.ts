import { describe, expect, it } from "vitest";
import { StandInController } from "../../../src/demo/controller.ts";
import type { ScaleTarget, SyncResult } from "../../../src/demo/controller.ts";
import { demoHpa, demoNamespace } from "../../../src/demo/scenario.ts";
import type { ExternalMetricRead } from "../../../src/simulator/hpa-metrics.ts";
import { FakeClock } from "../../fakes/fake-clock.ts";

class Replicas implements ScaleTarget {
  specReplicas = 1;

  get statusReplicas(): number {
    return this.specReplicas;
  }

  get readyReplicas(): number {
    return this.specReplicas;
  }

  setReplicas(replicas: number): void {
    this.specReplicas = replicas;
  }
}

const value = (text: string): ExternalMetricRead => ({ outcome: "values", values: [text] });
const failed: ExternalMetricRead = { outcome: "failed", message: "connect ECONNREFUSED" };

function build(reads: readonly ExternalMetricRead[], timeScale = 15) {
  const clock = new FakeClock();
  const target = new Replicas();
  const results: SyncResult[] = [];
  const readTimes: number[] = [];
  const controller = new StandInController({
    ...{ namespace: demoNamespace, spec: demoHpa, target, timeScale, clock },
    read: () => {
      readTimes.push(clock.monotonic());
      return Promise.resolve(reads[Math.min(readTimes.length, reads.length) - 1]!);
    },
    onSync: (result) => results.push(result),
  });
  return { clock, target, results, readTimes, controller };
}

describe("StandInController", () => {
  it.each([
    [1, 15_000],
    [15, 1000],
    [30, 500],
  ])("at time scale %d reads every %d ms", async (timeScale, periodMs) => {
    const { controller, clock, readTimes } = build([value("1")], timeScale);
    const stop = new AbortController();
    const running = controller.run(stop.signal);
    await clock.advance(3 * periodMs);
    stop.abort(new Error("over"));
    await expect(running).rejects.toThrow("over");
    expect(readTimes).toEqual([0, periodMs, 2 * periodMs, 3 * periodMs]);
    expect(clock.pendingTimers).toBe(0);
  });

  it("scales to what it reads, as fast as the HPA's default rules allow", async () => {
    const { controller, clock, target } = build([value("9800m")]);
    const sizes: number[] = [];
    for (let sync = 0; sync < 3; sync += 1) {
      await controller.sync(new AbortController().signal);
      sizes.push(target.specReplicas);
      await clock.advance(1000);
    }
    expect(sizes).toEqual([5, 10, 10]);
  });

  it("leaves replicas alone while reads fail, and goes on afterwards", async () => {
    const { controller, clock, target, results } = build([value("5"), failed, failed, value("9")]);
    const sizes: number[] = [];
    for (let sync = 0; sync < 4; sync += 1) {
      await controller.sync(new AbortController().signal);
      sizes.push(target.specReplicas);
      await clock.advance(1000);
    }
    expect(sizes).toEqual([5, 5, 5, 9]);
    expect(results.map(({ signal }) => signal)).toEqual([5, undefined, undefined, 9]);
  });

  it("sleeps at 0 after its window of cluster time, and wakes", async () => {
    const reads = [...Array.from({ length: 6 }, () => value("0")), value("200m")];
    const { controller, clock, target } = build(reads);
    const sizes: number[] = [];
    for (let sync = 0; sync < 7; sync += 1) {
      await controller.sync(new AbortController().signal);
      sizes.push(target.specReplicas);
      await clock.advance(1000);
    }
    expect(sizes).toEqual([1, 1, 1, 1, 0, 0, 1]);
  });

  it.each([
    ["no items", { outcome: "values", values: [] }],
    ["an item that is no Quantity", value("many")],
  ] as const)("takes %s for no number", async (_what, read) => {
    const { controller, target } = build([read]);
    const result = await controller.sync(new AbortController().signal);
    expect(result.signal).toBeUndefined();
    expect(target.specReplicas).toBe(1);
  });
});
