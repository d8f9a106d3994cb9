import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  canonicalSelector,
  matchesLabels,
  parseLabelSelector,
} from "../../../src/model/label-selector.ts";
import type { LabelSelector, Requirement } from "../../../src/model/label-selector.ts";
import type { Labels } from "../../../src/model/labels.ts";

interface Recorded {
  readonly text: string;
  readonly canonical?: string;
  readonly error?: string;
}

const fixture = new URL("../../fixtures/label-selectors.json", import.meta.url);
const { selectors } = JSON.parse(readFileSync(fixture, "utf8")) as {
  readonly selectors: readonly Recorded[];
};

function parsed(text: string): LabelSelector {
  const result = parseLabelSelector(text);
  if (result.status === "malformed") throw new Error(result.message);
  return result.selector;
}

describe("agrees with apimachinery's labels.Parse", () => {
  test.each(selectors.map((row) => [row.text, row] as const))("%j", (text, row) => {
    const result = parseLabelSelector(text);
    if (row.canonical !== undefined) {
      expect(result.status).toBe("parsed");
      expect(canonicalSelector(parsed(text))).toBe(row.canonical);
    } else if (row.error === "invalid") {
      expect(result).toMatchObject({
        status: "malformed",
        message: expect.stringMatching(
          /^unable to parse requirement: .*: Invalid value: /u,
        ) as string,
      });
    } else {
      expect(result).toEqual({ status: "malformed", message: row.error });
    }
  });

  test("but for a NUL, which is not the end of the text", () => {
    expect(parseLabelSelector("a=\0").status).toBe("malformed");
  });
});

describe("matches", () => {
  const labels = { queue: "jobs", size: "10", empty: "", "example.com/team": "red" };
  test.each([
    ["", true],
    ["queue", true],
    ["!queue", false],
    ["other", false],
    ["!other", true],
    ["queue=jobs", true],
    ["queue==mail", false],
    ["queue!=mail", true],
    ["other=", false],
    ["empty=", true],
    ["other!=jobs", true],
    ["queue in (a,jobs)", true],
    ["queue notin (a,jobs)", false],
    ["other notin (a)", true],
    ["other in ()", false],
    ["empty in ()", true],
    ["size>9", true],
    ["size>10", false],
    ["size<11", true],
    ["size<0009", false],
    ["queue>1", false],
    ["queue<1", false],
    ["other>1", false],
    ["example.com/team=red,queue=jobs", true],
    ["example.com/team=red,queue=mail", false],
    ["constructor", false],
    ["toString!=x", true],
  ])("%j: %s", (text, isMatch) => {
    expect(matchesLabels(parsed(text), labels)).toBe(isMatch);
  });

  test("a label beyond 64 bits is no number, a signed one is", () => {
    expect(matchesLabels(parsed("n>1"), { n: "9223372036854775808" })).toBe(false);
    expect(matchesLabels(parsed("n<1"), { n: "-9223372036854775808" })).toBe(true);
    expect(matchesLabels(parsed("n>1"), { n: "+2" })).toBe(true);
  });
});

const name = fc.stringMatching(/^[A-Za-z0-9]([-_.A-Za-z0-9]{0,8}[A-Za-z0-9])?$/u);
const value = fc.oneof(fc.constant(""), name);
const sorted = (values: readonly string[]): string[] => [...new Set(values)].sort();
const requirement: fc.Arbitrary<Requirement> = fc.oneof(
  fc.record({
    key: name,
    operator: fc.constantFrom("Equals", "DoubleEquals", "NotEquals"),
    values: fc.tuple(value),
  }),
  fc.record({
    key: name,
    operator: fc.constantFrom("In", "NotIn"),
    values: fc.array(value, { minLength: 1, maxLength: 4 }).map(sorted),
  }),
  fc.record({
    key: name,
    operator: fc.constantFrom("Exists", "DoesNotExist"),
    values: fc.constant([]),
  }),
  fc.record({
    key: name,
    operator: fc.constantFrom("GreaterThan", "LessThan"),
    values: fc.tuple(fc.nat().map(String)),
  }),
);
const selector = fc.record({ requirements: fc.array(requirement, { maxLength: 5 }) });
const labelSet: fc.Arbitrary<Labels> = fc.dictionary(name, value, { maxKeys: 5 });

describe("properties", () => {
  test("the canonical text parses back to the same selector, sorted by key", () => {
    fc.assert(
      fc.property(selector, ({ requirements }) => {
        const back = parsed(canonicalSelector({ requirements }));
        const byKey = (a: Requirement, b: Requirement): number =>
          a.key === b.key ? 0 : a.key < b.key ? -1 : 1;
        expect(back.requirements).toEqual([...requirements].sort(byKey));
        expect(canonicalSelector(back)).toBe(canonicalSelector({ requirements }));
      }),
    );
  });

  test("white space between tokens means nothing", () => {
    fc.assert(
      fc.property(selector, fc.constantFrom(" ", "\t", "\r\n", "  "), (wanted, space) => {
        const text = canonicalSelector(wanted);
        const spaced = text.replaceAll(/([=!(),<>]+)/gu, `${space}$1${space}`);
        expect(canonicalSelector(parsed(spaced))).toBe(text);
      }),
    );
  });

  test("any text is either parsed or malformed", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), (text) => {
        const result = parseLabelSelector(text);
        if (result.status === "malformed") expect(result.message).not.toBe("");
        else expect(parseLabelSelector(canonicalSelector(result.selector))).toEqual(result);
      }),
      { numRuns: 500 },
    );
  });

  test("a requirement and its opposite never agree", () => {
    fc.assert(
      fc.property(name, fc.array(value, { minLength: 1 }), labelSet, (key, values, labels) => {
        const with_ = (operator: Requirement["operator"]): boolean =>
          matchesLabels({ requirements: [{ key, operator, values: sorted(values) }] }, labels);
        expect(with_("In")).toBe(!with_("NotIn"));
        expect(with_("Exists")).toBe(!with_("DoesNotExist"));
      }),
    );
  });

  test("more requirements never match more", () => {
    fc.assert(
      fc.property(selector, requirement, labelSet, (wanted, extra, labels) => {
        const narrower = { requirements: [...wanted.requirements, extra] };
        if (matchesLabels(narrower, labels)) expect(matchesLabels(wanted, labels)).toBe(true);
      }),
    );
  });
});
