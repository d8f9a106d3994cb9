import { describe, expect, test } from "vitest";
import { parseAccept } from "../../../src/apiserver/accept.ts";
import { encodeObject } from "../../../src/apiserver/negotiation.ts";

describe("parseAccept", () => {
  test.each([
    ["", ["*/*"]],
    [" , ,", ["*/*"]],
    ["a/b, c/d", ["a/b", "c/d"]],
    ["A/B;Q=0.1 , c/d", ["c/d", "a/b"]],
    ["a/b;q=0, c/d", ["c/d"]],
    ["a/b;q=0", []],
    ["a/b;q=2, c/d;q=0.001", ["c/d"]],
    ["a/b;q=x, c/d;q=1.000", ["c/d"]],
    ["a/b;q=0.5,c/d;q=0.5,e/f;q=0.6", ["e/f", "a/b", "c/d"]],
  ])("%j tries %j", (header, mediaTypes) => {
    expect(parseAccept(header).map(({ mediaType }) => mediaType)).toEqual(mediaTypes);
  });

  test("keeps parameters, names in lower case, values unquoted", () => {
    expect(parseAccept('a/b; As=Table;g="x.y" ;flag')).toEqual([
      { mediaType: "a/b", parameters: { as: "Table", g: "x.y", flag: "" }, quality: 1 },
    ]);
  });

  test("a parameter named like a property of every object is just a parameter", () => {
    const [clause] = parseAccept("a/b;__proto__=x;constructor=y");
    expect(Object.entries(clause?.parameters ?? {})).toEqual([
      ["__proto__", "x"],
      ["constructor", "y"],
    ]);
  });
});

describe("YAML keeps strings strings for readers of YAML 1.1", () => {
  test.each([
    "no",
    "on",
    "y",
    "1",
    "1.5",
    "1e3",
    "0x1f",
    "012",
    "2025-01-01T00:00:00Z",
    "null",
    "~",
    "",
  ])("%j is quoted", (text) => {
    const yaml = encodeObject({ value: text }, { format: "Yaml", isPretty: false });
    expect(yaml).toBe(`value: ${JSON.stringify(text)}\n`);
  });

  test("keys too", () => {
    const yaml = encodeObject({ on: "a", "1": "b" }, { format: "Yaml", isPretty: false });
    expect(yaml).toBe('"1": b\n"on": a\n');
  });
});
