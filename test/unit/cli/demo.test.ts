import { InvalidArgumentError } from "commander";
import { describe, expect, it } from "vitest";
import { parseDuration, parseTimeScale } from "../../../src/cli/demo.ts";

describe("parseDuration", () => {
  it.each([
    ["60s", 60_000],
    ["90", 90_000],
    ["1.5m", 90_000],
    ["500ms", 500],
    ["1h", 3_600_000],
  ])("reads %s as %d ms", (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });

  it.each(["", "0", "0s", "-5s", "5 s", "soon", "1d", "1e3"])("refuses %j", (text) => {
    expect(() => parseDuration(text)).toThrow(InvalidArgumentError);
  });
});

describe("parseTimeScale", () => {
  it.each([
    ["1", 1],
    ["15", 15],
    ["2.5", 2.5],
    ["100", 100],
  ])("reads %s", (text, expected) => {
    expect(parseTimeScale(text)).toBe(expected);
  });

  it.each(["", "0", "0.5", "101", "fast", "-1", "1e2"])("refuses %j", (text) => {
    expect(() => parseTimeScale(text)).toThrow(InvalidArgumentError);
  });
});
