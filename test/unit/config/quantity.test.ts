import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseQuantity } from "../../../src/config/quantity.ts";

describe("parseQuantity", () => {
  it.each([
    ["0", 0],
    ["3", 3],
    ["+3", 3],
    ["1500m", 1.5],
    ["100u", 0.0001],
    ["1n", 1e-9],
    ["2k", 2000],
    ["2.5M", 2_500_000],
    [".5", 0.5],
    ["5.", 5],
    ["1Ki", 1024],
    ["1.5Gi", 1_610_612_736],
    ["1e3", 1000],
    ["1E3", 1000],
    ["1E-3", 0.001],
    ["9P", 9e15],
    ["9223372036854775", Number(9_223_372_036_854_775n)],
  ])("reads %s as %d", (text, expected) => {
    expect(parseQuantity(text)).toBe(expected);
  });

  it.each([
    "",
    "-1",
    "1.5x",
    "m",
    ".",
    "1 k",
    "1K",
    "1E",
    "1e999",
    "NaN",
    "0x10",
    "1_000",
    "1e",
    "1.2.3",
  ])("refuses %j", (text) => {
    expect(parseQuantity(text)).toBeUndefined();
  });

  it("reads what JavaScript prints for any whole number that an HPA decodes", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (value) => {
        expect(parseQuantity(String(value))).toBe(value);
      }),
    );
  });
});
