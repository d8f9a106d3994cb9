import { describe, expect, it } from "vitest";
import {
  formatSeconds,
  niceMaximum,
  paintAnsi,
  paintNothing,
  renderLane,
  renderTimeAxis,
} from "../../../src/demo/chart.ts";
import type { ChartLane } from "../../../src/demo/chart.ts";

const lane = (overrides: Partial<ChartLane>): ChartLane => ({
  title: "queue depth, jobs",
  current: "now 8",
  colour: "cyan",
  values: [0, 1, 4, 8],
  isMarked: [false, false, false, false],
  heightRows: 2,
  leastMaximum: 8,
  ...overrides,
});

describe("renderLane", () => {
  it("draws bars in eighths of a row over labels of the scale's ends", () => {
    expect(renderLane(lane({}), 30, paintNothing)).toEqual([
      "queue depth, jobs        now 8",
      "   8 ┤   █",
      "   0 ┤ ▂██",
    ]);
  });

  it("draws the smallest amount as something and nothing as nothing", () => {
    const rows = renderLane(
      lane({ values: [0.001, 0], isMarked: [false, false], leastMaximum: 1000 }),
      30,
      paintNothing,
    );
    expect(rows.slice(1)).toEqual(["1000 ┤", "   0 ┤▁"]);
  });

  it("marks an unknown value with a dot, never as 0", () => {
    const rows = renderLane(
      lane({ values: [8, undefined, 8], isMarked: [false, false, false] }),
      30,
      paintNothing,
    );
    expect(rows.slice(1)).toEqual(["   8 ┤█ █", "   0 ┤█·█"]);
  });

  it("stretches the scale to a round number above the largest value", () => {
    const rows = renderLane(lane({ values: [73], isMarked: [false] }), 30, paintNothing);
    expect(rows.slice(1)).toEqual([" 100 ┤▄", "   0 ┤█"]);
  });

  it("paints neighbours of one colour together and marked columns red", () => {
    const rows = renderLane(
      lane({ values: [8, 8, 8], isMarked: [false, false, true], heightRows: 1 }),
      30,
      paintAnsi,
    );
    expect(rows[1]).toBe("\u001B[2m   8 ┤\u001B[0m\u001B[36m██\u001B[0m\u001B[31m█\u001B[0m");
  });

  it("keeps one space between title and number however narrow it gets", () => {
    expect(renderLane(lane({}), 5, paintNothing)[0]).toBe("queue depth, jobs now 8");
  });
});

describe("renderTimeAxis", () => {
  it("marks bursts and failed reads and labels every tenth column", () => {
    const markers = Array.from({ length: 24 }, (_, column) =>
      column === 2 ? "Burst" : column === 13 ? "FailedRead" : "None",
    );
    expect(renderTimeAxis(markers, 0, 6, paintNothing)).toEqual([
      "     └──▲──────────×──────────",
      "      0:00      1:00      2:00",
    ]);
  });

  it("keeps labels at their time while the chart scrolls", () => {
    const markers = Array.from({ length: 12 }, () => "None" as const);
    expect(renderTimeAxis(markers, 65, 1, paintNothing)).toEqual([
      "     └────────────",
      "           1:10",
    ]);
  });
});

describe("scales and times", () => {
  it.each([
    [0, 1],
    [1, 1],
    [3, 5],
    [10, 10],
    [11, 20],
    [51, 100],
    [999, 1000],
  ])("the round number for %d is %d", (value, expected) => {
    expect(niceMaximum(value)).toBe(expected);
  });

  it.each([
    [0, "0:00"],
    [59.9, "0:59"],
    [75, "1:15"],
    [3600, "60:00"],
  ])("%d seconds are written %s", (seconds, expected) => {
    expect(formatSeconds(seconds)).toBe(expected);
  });
});
