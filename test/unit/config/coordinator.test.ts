import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import type { ConfigSubscriber, Preparation } from "../../../src/config/coordinator.ts";
import { ConfigCoordinator } from "../../../src/config/coordinator.ts";
import { createConfigMetrics } from "../../../src/config/metrics.ts";
import type { Configuration } from "../../../src/config/plan.ts";
import { FakeClock } from "../../fakes/fake-clock.ts";
import { recordingLogger } from "../../fakes/recording-logger.ts";
import { load } from "./load-fixture.ts";

function fileWith(...names: readonly string[]): string {
  const lines = names.map((name) => `- { name: ${name}, redis: { url: "redis://${name}" } }\n`);
  return `connections:\n${lines.join("")}`;
}

/** A part that records what it was asked, and refuses connections named `refused`. */
class RecordingPart implements ConfigSubscriber {
  readonly name: string;
  readonly events: string[];

  constructor(name: string, events: string[]) {
    this.name = name;
    this.events = events;
  }

  prepare(next: Configuration): Preparation {
    const names = next.connections.map(({ name }) => name).join(" ");
    this.events.push(`${this.name} prepares ${names}`);
    if (names.includes(`refused-by-${this.name}`)) return { status: "refused", reason: names };
    if (names.includes(`breaks-${this.name}`)) throw new Error("broken");
    return {
      status: "prepared",
      commit: () => {
        this.events.push(`${this.name} commits ${names}`);
        if (names.includes(`half-${this.name}`)) throw new Error("half");
      },
      discard: () => {
        this.events.push(`${this.name} discards ${names}`);
      },
    };
  }
}

function setUp() {
  const registry = new Registry();
  const clock = new FakeClock();
  const { logger, lines } = recordingLogger();
  const metrics = createConfigMetrics(registry);
  const fileName = "leadline.yaml";
  const coordinator = new ConfigCoordinator({ fileName, load, metrics, logger, clock });
  const events: string[] = [];
  coordinator.subscribe(new RecordingPart("a", events));
  coordinator.subscribe(new RecordingPart("b", events));
  const gauge = async (name: string): Promise<number | undefined> =>
    (await registry.getSingleMetric(name)?.get())?.values[0]?.value;
  const namesInForce = (): string[] | undefined =>
    coordinator.current?.connections.map(({ name }) => name);
  return { coordinator, clock, lines, events, gauge, namesInForce, registry };
}

describe("ConfigCoordinator", () => {
  it("lets every part prepare before any commits", async () => {
    const { coordinator, events, namesInForce } = setUp();
    expect((await coordinator.apply(fileWith("x"))).status).toBe("applied");
    expect(events).toEqual(["a prepares x", "b prepares x", "a commits x", "b commits x"]);
    expect(namesInForce()).toEqual(["x"]);
  });

  it("keeps the last good configuration when the file is bad", async () => {
    const { coordinator, events, namesInForce, gauge, clock } = setUp();
    await coordinator.apply(fileWith("x"));
    const hash = await gauge("leadline_config_hash");
    const goodSeconds = clock.now() / 1000;
    events.length = 0;
    await clock.advance(5000);
    const outcome = await coordinator.apply("connections: 5\n");
    expect(outcome).toEqual({
      status: "rejected",
      diagnostics: [
        {
          severity: "error",
          path: "connections",
          line: 1,
          column: 14,
          message: "expected a list of connections; found a number",
          found: "a number",
          allowed: "a list of connections",
        },
      ],
    });
    expect(events).toEqual([]);
    expect(namesInForce()).toEqual(["x"]);
    expect(await gauge("leadline_config_last_reload_successful")).toBe(0);
    expect(await gauge("leadline_config_last_reload_success_timestamp_seconds")).toBe(goodSeconds);
    expect(await gauge("leadline_config_hash")).toBe(hash);
  });

  it.each([
    ["refused-by-b", "b: refused-by-b"],
    ["breaks-b", "b: broken"],
  ])("keeps the last good configuration when a part answers %s", async (name, reason) => {
    const { coordinator, events, namesInForce, gauge } = setUp();
    await coordinator.apply(fileWith("x"));
    events.length = 0;
    expect(await coordinator.apply(fileWith(name))).toEqual({
      status: "refused",
      reasons: [reason],
    });
    expect(events).toEqual([`a prepares ${name}`, `b prepares ${name}`, `a discards ${name}`]);
    expect(namesInForce()).toEqual(["x"]);
    expect(await gauge("leadline_config_last_reload_successful")).toBe(0);
  });

  it("logs a bad file once for each distinct finding, and again after a good one", async () => {
    const { coordinator, lines } = setUp();
    const bad = "connections: 5\n";
    for (const text of [bad, bad, "signals: 5\n", "signals: 5\n", fileWith("x"), bad, bad]) {
      await coordinator.apply(text);
    }
    expect(lines.map(({ msg, inForce }) => [msg, inForce])).toEqual([
      ["Configuration refused", "none"],
      ["Configuration refused", "none"],
      ["Configuration in force", undefined],
      ["Configuration refused", "the last good one"],
    ]);
    expect(lines[0]).toMatchObject({
      file: "leadline.yaml",
      findings: ["leadline.yaml:1:14 connections: expected a list of connections; found a number"],
    });
  });

  it("does nothing for content that is in force, and counts that as a success", async () => {
    const { coordinator, events, gauge } = setUp();
    await coordinator.apply(fileWith("x"));
    await coordinator.apply("connections: 5\n");
    events.length = 0;
    expect((await coordinator.apply(fileWith("x"))).status).toBe("unchanged");
    expect(events).toEqual([]);
    expect(await gauge("leadline_config_last_reload_successful")).toBe(1);
  });

  it("goes on with the other parts when one fails to commit", async () => {
    const { coordinator, events, lines } = setUp();
    expect((await coordinator.apply(fileWith("half-a"))).status).toBe("applied");
    expect(events.at(-1)).toBe("b commits half-a");
    expect(lines[0]).toMatchObject({ msg: "A part failed to take over the configuration" });
  });

  it("takes texts over one after the other", async () => {
    const { coordinator, events } = setUp();
    await Promise.all([coordinator.apply(fileWith("x")), coordinator.apply(fileWith("y"))]);
    expect(events).toEqual([
      ...["a prepares x", "b prepares x", "a commits x", "b commits x"],
      ...["a prepares y", "b prepares y", "a commits y", "b commits y"],
    ]);
  });

  it("shows at most twenty findings in a log line", async () => {
    const { coordinator, lines } = setUp();
    await coordinator.apply(Array.from({ length: 25 }, (_, index) => `k${index}: 1\n`).join(""));
    expect((lines[0]?.["findings"] as string[]).length).toBe(20);
    expect(lines[0]?.["more"]).toBe(5);
  });

  it("counts every outcome", async () => {
    const { coordinator, registry } = setUp();
    for (const text of [fileWith("x"), fileWith("x"), "x", fileWith("refused-by-a")]) {
      await coordinator.apply(text);
    }
    coordinator.reportUnreadable("file /x does not exist");
    const counts = await registry.getSingleMetric("leadline_config_reloads_total")?.get();
    expect(counts?.values.map(({ labels, value }) => [labels["outcome"], value])).toEqual([
      ["applied", 1],
      ["unchanged", 1],
      ["rejected", 1],
      ["refused", 1],
      ["unreadable", 1],
    ]);
  });
});
