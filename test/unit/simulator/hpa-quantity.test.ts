import { describe, expect, it } from "vitest";
import {
  approximateFloat,
  milliValue,
  quantityFromMilli,
} from "../../../src/simulator/hpa-quantity.ts";

describe("milliValue", () => {
  it.each([
    ["0", 0n],
    ["10", 10_000n],
    ["12.5", 12_500n],
    ["1500m", 1500n],
    ["+3", 3000n],
    ["-5", -5000n],
    ["-1.5", -1500n],
    ["007", 7000n],
    [".5", 500n],
    ["1e3", 1_000_000n],
    ["1E3", 1_000_000n],
    ["1Ki", 1_024_000n],
    ["1.5Ki", 1_536_000n],
    ["2k", 2_000_000n],
    ["5u", 1n],
    [" 1 ", 1000n],
  ])("reads %s as %d thousandths", (text, expected) => {
    expect(milliValue(text)).toBe(expected);
  });

  it.each([
    ["0.0004", 1n],
    ["0.0000000001", 1n],
    ["1.0001", 1001n],
    ["333333334n", 334n],
    ["-0.0004", -1n],
  ])("rounds %s away from zero to %d thousandths", (text, expected) => {
    expect(milliValue(text)).toBe(expected);
  });

  it.each([
    ["a huge exponent becomes 0", "1e30", 0n],
    ["so does a huge suffix", "1E", 0n],
    ["the largest int64 wraps below 0", "9223372036854775807", -1000n],
    ["the largest safe value stays", "9223372036854775", 9223372036854775000n],
    ["eighteen digits wrap to a positive remainder", "100000000000000000", 7766279631452241920n],
    [
      "beyond the smallest int64 nano wraps before it is divided",
      "-264334129465258691692131",
      1785654630818n,
    ],
    ["a binary suffix beyond int64 is capped, then wraps", "8Ei", -1000n],
  ])("%s", (_rule, text, expected) => {
    expect(milliValue(text)).toBe(expected);
  });

  it.each(["", "abc", "NaN", "1e", "5 0", "1k3", "1e3m", "0x10", "1,5", "--1", "Infinity"])(
    "refuses %j",
    (text) => {
      expect(milliValue(text)).toBeUndefined();
    },
  );
});

describe("approximateFloat", () => {
  it.each([
    ["0", 0],
    ["1", 1],
    ["0.05", 0.05],
    ["50m", 0.05],
    ["0.15", 0.15],
    ["1.5", 1.5],
    ["1k", 1000],
    ["1Ki", 1024],
  ])("reads %s as %d", (text, expected) => {
    expect(approximateFloat(text)).toBe(expected);
  });

  it("refuses what is no Quantity", () => {
    expect(approximateFloat("ten")).toBeUndefined();
  });
});

describe("quantityFromMilli", () => {
  it.each([
    [0n, "0"],
    [1n, "1m"],
    [5000n, "5"],
    [4167n, "4167m"],
    [142_858n, "142858m"],
    [1_000_000n, "1k"],
    [9_223_372_036_854_775_807n, "9223372036854775807m"],
    [-1500n, "-1500m"],
  ])("writes %d thousandths as %s", (milli, expected) => {
    expect(quantityFromMilli(milli)).toBe(expected);
  });
});
