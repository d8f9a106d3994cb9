import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  formatQuantity,
  parseQuantity,
  quantityFromNumber,
  quantityToNumber,
} from "../../../src/model/quantity.ts";

function canonical(text: string): string | undefined {
  const decimal = parseQuantity(text);
  return decimal === undefined ? undefined : formatQuantity(decimal);
}

describe("canonical form, as apimachinery writes it", () => {
  test.each([
    ["0", "0"],
    ["-0", "0"],
    ["0.0", "0"],
    ["42", "42"],
    ["1000", "1k"],
    ["1500", "1500"],
    ["1.5", "1500m"],
    ["0.5", "500m"],
    ["1024", "1024"],
    ["3.14159265358979", "3141592654n"],
    ["-1.5", "-1500m"],
    ["12345.678", "12345678m"],
    ["12345.6789", "12345678900u"],
    [String(1 / 3), "333333334n"],
    ["0.0001", "100u"],
    ["1e-10", "1n"],
    ["-1e-10", "-1n"],
    ["1000000", "1M"],
    ["2500000", "2500k"],
    ["1e18", "1E"],
    ["9007199254740993", "9007199254740993"],
    ["1Ki", "1024"],
    ["1.5Gi", "1610612736"],
    ["0.1Ki", "102400m"],
    ["1Ei", "1152921504606846976"],
    ["7Pi", "7881299347898368"],
    ["3Ti", "3298534883328"],
    ["5Mi", "5242880"],
    ["1E", "1E"],
    ["1E3", "1k"],
    ["1e3", "1k"],
    ["1e-3", "1m"],
    ["1e+3", "1k"],
    ["100m", "100m"],
    ["2k", "2k"],
    ["12M", "12M"],
    ["4G", "4G"],
    ["6T", "6T"],
    ["8P", "8P"],
    ["1u", "1u"],
    ["1n", "1n"],
    ["+5", "5"],
    ["5.", "5"],
    [".5", "500m"],
  ])("%s is %s", (text, quantity) => {
    expect(canonical(text)).toBe(quantity);
  });

  test.each([
    ...["", " ", "abc", "NaN", "Infinity", "1 ", " 1", "1.1.1", "1K", "1ki", "0x10", "1e", "1e+"],
    ...["--1", "1m1", "1KiB", "1,5", "1mi", ".", "+", "-", "k", "e3", "1e401", "9".repeat(129)],
  ])("%j is none", (text) => {
    expect(parseQuantity(text)).toBeUndefined();
    expect(quantityToNumber(text)).toBeUndefined();
  });
});

describe("a number as it is served", () => {
  test.each([
    [0, "0"],
    [-0, "0"],
    [42, "42"],
    [1000, "1k"],
    [1.5, "1500m"],
    [12.3456, "12346m"],
    [0.0015, "2m"],
    [0.0014999, "1m"],
    [-0.0015, "-2m"],
    [1 / 3, "333m"],
    [0.0001, "1m"],
    [-0.0001, "-1m"],
    [5e-324, "1m"],
    [1e-7, "1m"],
    [1e15, "1P"],
    [9_007_199_254_740_992, "9007199254740992"],
    [9_223_372_036_854_774, "9223372036854774"],
    [1e16, "9223372036854775"],
    [-1e16, "-9223372036854775"],
    [1e21, "9223372036854775"],
    [Number.MAX_VALUE, "9223372036854775"],
    [-Number.MAX_VALUE, "-9223372036854775"],
    [Number.NaN, undefined],
    [Number.POSITIVE_INFINITY, undefined],
    [Number.NEGATIVE_INFINITY, undefined],
  ])("%d is %s", (value, quantity) => {
    expect(quantityFromNumber(value)).toBe(quantity);
  });
});

describe("to a number", () => {
  test.each([
    ["1500m", 1.5],
    ["2k", 2000],
    ["0.1", 0.1],
    ["100u", 0.0001],
    ["1Ki", 1024],
    ["-3", -3],
    ["1e400", undefined],
  ])("%s is %s", (text, value) => {
    expect(quantityToNumber(text)).toBe(value);
  });
});

describe("properties", () => {
  const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
  const served = fc.double({ noNaN: true, min: -9e15, max: 9e15 });

  test("every finite number has a Quantity in canonical syntax, never a point or a plus", () => {
    fc.assert(
      fc.property(finite, (value) => {
        expect(quantityFromNumber(value)).toMatch(/^(?:0|-?[1-9][0-9]*[mkMGTPE]?)$/u);
      }),
    );
  });

  test("only zero becomes zero, and the sign stays", () => {
    fc.assert(
      fc.property(finite, (value) => {
        const quantity = quantityFromNumber(value) ?? "";
        expect(quantity === "0").toBe(value === 0);
        expect(quantity.startsWith("-")).toBe(value < 0);
      }),
    );
  });

  test("what is served is within half a thousandth, or is the smallest value there is", () => {
    fc.assert(
      fc.property(served, (value) => {
        const back = quantityToNumber(quantityFromNumber(value) ?? "") ?? Number.NaN;
        const tolerance = Math.abs(value) < 0.0005 ? 0.001 : 0.0005 + Math.abs(value) * 1e-15;
        expect(Math.abs(back - value)).toBeLessThanOrEqual(tolerance);
      }),
    );
  });

  test("a larger number is never served as a smaller one", () => {
    fc.assert(
      fc.property(finite, finite, (a, b) => {
        const [low, high] = a < b ? [a, b] : [b, a];
        const from = (value: number) => quantityToNumber(quantityFromNumber(value) ?? "") ?? NaN;
        expect(from(low)).toBeLessThanOrEqual(from(high));
      }),
    );
  });

  test("formatting is exact and stable for up to nine decimal places", () => {
    fc.assert(
      fc.property(fc.bigInt(), fc.integer({ min: -9, max: 30 }), (mantissa, exponent) => {
        const text = formatQuantity({ mantissa, exponent });
        const back = parseQuantity(text);
        expect(back).toBeDefined();
        const scale = (decimal: { mantissa: bigint; exponent: number }): bigint =>
          decimal.mantissa * 10n ** BigInt(decimal.exponent + 9);
        expect(scale(back!)).toBe(scale({ mantissa, exponent }));
        expect(formatQuantity(back!)).toBe(text);
      }),
    );
  });
});
