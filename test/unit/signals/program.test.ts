import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { maxExpressionLength } from "../../../src/signals/environment.ts";
import { compileExpression } from "../../../src/signals/program.ts";
import type { Activation } from "../../../src/signals/environment.ts";
import type { ProgramResult } from "../../../src/signals/program.ts";

const inputs = [
  { name: "jobs", fields: ["lag", "rate", "waiting"] },
  { name: "gpu", fields: ["value"] },
];
const activation: Activation = { jobs: { lag: 42, rate: 0 }, gpu: { value: 0.5 } };

function run(expression: string, fields: Activation = activation): ProgramResult {
  const compilation = compileExpression(expression, inputs);
  if (compilation.status === "rejected") throw new Error(JSON.stringify(compilation.errors));
  return compilation.program.evaluate(fields);
}

function value(number: number): ProgramResult {
  return { status: "value", value: number };
}

function error(reason: string): ProgramResult {
  return { status: "error", reason };
}

describe("compileExpression", () => {
  it.each([
    ["a field", "jobs.lag", 42],
    ["a double by an int", "jobs.lag / 30", 1.4],
    ["an int by a double", "84 / jobs.lag", 2],
    ["an int plus a double", "1 + gpu.value", 1.5],
    ["an int less a double", "1 - gpu.value", 0.5],
    ["an int times a double", "3 * gpu.value", 1.5],
    ["ints divided as CEL divides them", "5 / 2", 2],
    ["a negative int divided towards zero", "0 - -7 / 2", 3],
    ["a remainder of ints", "7 % 4", 3],
    ["a remainder of a field made int", "int(jobs.lag) % 4", 2],
    ["an int made double before a division", "double(5) / 2", 2.5],
    ["precedence", "1 + 2 * 3 - (4 - 2)", 5],
    ["min of two", "min(jobs.lag, 7)", 7],
    ["min of four", "min(9, jobs.lag, 7.5, 8)", 7.5],
    ["max of three", "max(jobs.lag, 7, 43)", 43],
    ["clamp at the top", "clamp(jobs.lag, 0, 10)", 10],
    ["clamp at the bottom", "clamp(gpu.value, 1, 10)", 1],
    ["ceil", "ceil(jobs.lag / 30)", 2],
    ["floor", "floor(jobs.lag / 30)", 1],
    ["abs", "abs(gpu.value - 2)", 1.5],
    ["a guarded absent field", "has(jobs.waiting) ? jobs.waiting : 0", 0],
    ["a guarded present field", "has(jobs.lag) ? jobs.lag : 0", 42],
    ["a condition with an int on one side", "jobs.lag > 40 ? 0.5 : 1", 0.5],
    ["an equality of a double and an int", "jobs.lag == 42 ? 1 : 2", 1],
    ["an inequality", "jobs.lag != 42 ? 1 : 2", 2],
    ["and, or, not", "!(jobs.lag < 1 || false) && true ? 1 : 2", 1],
    ["or with an absent field beside a true side", "jobs.waiting > 1 || true ? 1 : 2", 1],
    ["and with an absent field beside a false side", "jobs.waiting > 1 && false ? 1 : 2", 2],
    ["an equality of truth values", "(jobs.lag > 1) == true ? 1 : 2", 1],
    ["a comment", "jobs.lag // depth\n / 2", 21],
    ["a negative zero as zero", "-0.0 * jobs.lag", 0],
    ["an exponent", "1e3 + gpu.value", 1000.5],
    ["a constant", "3", 3],
  ])("gives the value of %s", (_name, expression, expected) => {
    expect(run(expression)).toStrictEqual(value(expected));
  });

  it("never gives a negative zero", () => {
    const result = run("-0.0 * jobs.lag");
    expect(result.status === "value" && Object.is(result.value, 0)).toBe(true);
  });

  it.each([
    [
      "an absent field",
      "jobs.waiting + 1",
      "jobs.waiting is absent, and not guarded by has(jobs.waiting)",
    ],
    [
      "an absent field in a comparison",
      "jobs.waiting > 1 ? 1 : 2",
      "jobs.waiting is absent, and not guarded by has(jobs.waiting)",
    ],
    ["a division by a field of 0", "jobs.lag / jobs.rate", "jobs.lag / jobs.rate divides by zero"],
    [
      "a division by zero below another division, which IEEE 754 would make 0",
      "1 / (jobs.lag / jobs.rate)",
      "jobs.lag / jobs.rate divides by zero",
    ],
    [
      "a division by zero inside a comparison",
      "jobs.rate / jobs.rate > 1 ? 1 : 2",
      "jobs.rate / jobs.rate divides by zero",
    ],
    ["an overflow", "jobs.lag * 1e308", "jobs.lag * 1e+308.0 is not finite"],
    ["a negative result", "0 - jobs.lag", "the result is -42; a metric is never negative"],
    [
      "contradictory limits",
      "clamp(1, jobs.lag, 2)",
      "clamp(1, jobs.lag, 2): the lowest is above the highest",
    ],
    ["a remainder by 0", "7 % int(jobs.rate)", "7 % int(jobs.rate) divides by zero"],
    [
      "an int beyond what is exact",
      "int(jobs.lag * 1e20)",
      "int(jobs.lag * 100000000000000000000.0) is beyond the integers that are exact",
    ],
  ])("gives the reason for %s", (_name, expression, reason) => {
    expect(run(expression)).toStrictEqual(error(reason));
  });

  it.each([
    ["NaN", NaN],
    ["infinity", Infinity],
  ])("takes a field that is %s for no value", (_name, lag) => {
    const fields = { jobs: { lag }, gpu: {} };
    expect(run("jobs.lag > 5 ? 1 : 2", fields)).toStrictEqual(error("jobs.lag is not finite"));
  });

  it("takes a missing input for absent fields", () => {
    const reason = "jobs.lag is absent, and not guarded by has(jobs.lag)";
    expect(run("jobs.lag", {})).toStrictEqual(error(reason));
    expect(run("has(jobs.lag) ? 1 : 2", {})).toStrictEqual(value(2));
  });

  it.each([
    [
      "every unknown name at once",
      "jobs.lagg + foo.x",
      [
        { message: 'input "jobs" has no field "lagg"; its fields: lag, rate, waiting', offset: 5 },
        {
          message: 'unknown input "foo"; the inputs: jobs, gpu',
          offset: 12,
          unknownInput: "foo",
        },
      ],
    ],
    [
      "an input without a field",
      "jobs",
      [{ message: 'input "jobs" is not a number; its fields: lag, rate, waiting', offset: 0 }],
    ],
    [
      "an unknown field in has()",
      "has(jobs.x) ? 1 : 0",
      [{ message: 'input "jobs" has no field "x"; its fields: lag, rate, waiting', offset: 9 }],
    ],
    [
      "has() of an input",
      "has(jobs) ? 1 : 0",
      [{ message: "has() takes a field: has(input.field)", offset: 4 }],
    ],
    [
      "a field of a field",
      "jobs.lag.x",
      [{ message: '"x" does not follow an input; a field is written input.field', offset: 9 }],
    ],
    [
      "indexing",
      'jobs["lag"]',
      [{ message: "indexing is not available; a field is written input.field", offset: 0 }],
    ],
    ["text", "'a'", [{ message: '"a" is neither a number nor true nor false', offset: 0 }]],
    ["null", "null", [{ message: "null is neither a number nor true nor false", offset: 0 }]],
    ["unsigned", "5u", [{ message: "5u is neither a number nor true nor false", offset: 0 }]],
    ["a list", "[1, 2]", [{ message: "lists are not available", offset: 0 }]],
    ["a map", "{1: 2}", [{ message: "maps are not available", offset: 0 }]],
    ["membership", "1 in [1] ? 1 : 2", [{ message: "`in` is not available", offset: 0 }]],
    [
      "matches",
      '"aaaa".matches("^(a+)+$") ? 1 : 0',
      [
        {
          message: ".matches() is not available; nor is any other method",
          offset: 0,
        },
      ],
    ],
    [
      "a comprehension",
      "[1, 2].all(x, x > 0) ? 1 : 2",
      [{ message: ".all() is not available; nor is any other method", offset: 0 }],
    ],
    [
      "an unknown function",
      "mean(jobs.lag)",
      [
        {
          message:
            'function "mean" is not available; the functions: abs, ceil, clamp, double, floor, int, max, min, has',
          offset: 0,
        },
      ],
    ],
    [
      "a name that every object has",
      "toString(jobs.lag) + constructor.name",
      [
        {
          message:
            'function "toString" is not available; the functions: abs, ceil, clamp, double, floor, int, max, min, has',
          offset: 0,
        },
        {
          message: 'unknown input "constructor"; the inputs: jobs, gpu',
          offset: 21,
          unknownInput: "constructor",
        },
      ],
    ],
    [
      "too few arguments",
      "1 + min(jobs.lag)",
      [
        {
          message: "min() is called with 1 arguments; it is min(value, value, …)",
          offset: 4,
        },
      ],
    ],
    [
      "a truth value as a number",
      "max(jobs.lag, true)",
      [{ message: "max() takes numbers, not true", offset: 14 }],
    ],
    [
      "a number as a condition",
      "jobs.lag ? 1 : 2",
      [{ message: "the condition before ? is true or false, not jobs.lag", offset: 5 }],
    ],
    [
      "sides of different types",
      "true ? 1 : false",
      [{ message: "the two sides of : differ, int and bool", offset: 0 }],
    ],
    [
      "a truth value as the result",
      "jobs.lag > 3",
      [
        {
          message: "the result is true or false, not a number; write … ? 1 : 0",
          offset: 0,
        },
      ],
    ],
    [
      "a comparison of a number with a truth value",
      "jobs.lag == true ? 1 : 2",
      [{ message: "== does not compare double with bool", offset: 0 }],
    ],
    [
      "a remainder of a double",
      "jobs.lag % 2",
      [{ message: "% takes integers; write int() around a field", offset: 0 }],
    ],
    [
      "a division by zero",
      "jobs.lag / 0",
      [{ message: "jobs.lag / 0 divides by zero", offset: 11 }],
    ],
    [
      "a division by a constant that comes to zero",
      "jobs.lag / (1.0 - 1)",
      [{ message: "jobs.lag / (1.0 - 1) divides by zero", offset: 12 }],
    ],
    ["a constant NaN", "0.0 / 0.0", [{ message: "0.0 / 0.0 divides by zero", offset: 6 }]],
    [
      "a constant overflow",
      "jobs.lag + 1e308 * 10",
      [{ message: "1e+308.0 * 10 is not finite", offset: 11 }],
    ],
    [
      "a constant negative result",
      "2 - 5",
      [{ message: "the result is -3; a metric is never negative", offset: 0 }],
    ],
    [
      "an int beyond what is exact",
      "9007199254740992",
      [{ message: "9007199254740992 is beyond the integers that are exact", offset: 0 }],
    ],
    ["nothing", "", [{ message: "unexpected token: EOF", offset: 0 }]],
    ["half an expression", "jobs.lag +", [{ message: "unexpected token: EOF", offset: 10 }]],
    ["a foreign character", "jobs.lag # 1", [{ message: "unexpected character: #", offset: 9 }]],
  ])("rejects %s with its place", (_name, expression, errors) => {
    expect(compileExpression(expression, inputs)).toStrictEqual({ status: "rejected", errors });
  });

  it.each([
    ["characters", `jobs.lag${" ".repeat(maxExpressionLength)}`],
    ["parentheses", `${"(".repeat(1000)}1${")".repeat(1000)}`],
    ["negations", `${"!".repeat(maxExpressionLength - 20)}true ? 1 : 2`],
    ["summands", `1${"+1".repeat(1000)}`],
    ["arguments", `max(${"1,".repeat(100)}1)`],
  ])("rejects an expression of too many %s", (_name, expression) => {
    expect(compileExpression(expression, inputs).status).toBe("rejected");
  });

  it("tells which fields are read, each once", () => {
    const compilation = compileExpression(
      "has(jobs.rate) ? jobs.rate + jobs.lag : jobs.lag",
      inputs,
    );
    expect(compilation.status === "compiled" ? compilation.program.reads : undefined).toStrictEqual(
      [
        { input: "jobs", field: "rate" },
        { input: "jobs", field: "lag" },
      ],
    );
  });
});

const fragments = fc.constantFrom(
  ...[
    "jobs.lag",
    "gpu.value",
    "jobs",
    ".",
    "has(",
    "(",
    ")",
    ",",
    "?",
    ":",
    "+",
    "-",
    "*",
    "/",
    "%",
  ],
  ...[
    "min(",
    "clamp(",
    "1",
    "0",
    "0.5",
    "1e400",
    "true",
    "null",
    "'x'",
    "[",
    "]",
    "{",
    "}",
    " ",
    "in",
  ],
  ...[
    "==",
    "<",
    "&&",
    "||",
    "!",
    "0x",
    "u",
    ".all(x, x)",
    "cel.bind(",
    "//",
    "\n",
    "\\",
    "'''",
    "b'",
  ],
);

describe("compileExpression on anything", () => {
  it("never throws on random text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), (text) => {
        expect(["compiled", "rejected"]).toContain(compileExpression(text, inputs).status);
      }),
      { numRuns: 300 },
    );
  });

  it("never throws on random CEL, nor do the programs, and every value is finite and not negative", () => {
    const fields = fc.record(
      { lag: fc.double(), rate: fc.constantFrom(0, 1, -1), waiting: fc.double() },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.array(fragments, { maxLength: 12 }), fields, (parts, jobs) => {
        const compilation = compileExpression(parts.join(""), inputs);
        if (compilation.status === "rejected") {
          expect(compilation.errors.length).toBeGreaterThan(0);
          return;
        }
        const result = compilation.program.evaluate({ jobs, gpu: { value: 1 } });
        if (result.status === "value") expect(result.value).toBeGreaterThanOrEqual(0);
        if (result.status === "value") expect(Number.isFinite(result.value)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
