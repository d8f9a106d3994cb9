import { describe, expect, it } from "vitest";
import { causeChain, errorCode, errorFromUnknown } from "../../../src/runtime/errors.ts";

describe("errorFromUnknown", () => {
  it("leaves an error as it is", () => {
    const error = new TypeError("x");
    expect(errorFromUnknown(error)).toBe(error);
  });

  const circular: Record<string, unknown> = {};
  circular["self"] = circular;
  it.each<[string, unknown, string]>([
    ["text", "broken", "broken"],
    ["an object", { a: 1 }, '{"a":1}'],
    ["null", null, "null"],
    ["nothing", undefined, "undefined"],
    ["a number", 7, "7"],
    ["a bigint", 7n, "[object BigInt]"],
    ["a symbol", Symbol("x"), "Symbol(x)"],
    ["a circular object", circular, "[object Object]"],
    [
      "an object that refuses",
      {
        toJSON() {
          throw new Error("no");
        },
      },
      "[object Object]",
    ],
  ])("makes %s the message of one", (_name, reason, message) => {
    const error = errorFromUnknown(reason);
    expect(error).toBeInstanceOf(Error);
    expect(error.message).toBe(message);
  });
});

describe("causeChain", () => {
  it("lists the causes, outermost first, and stops at what is no error", () => {
    const root = new Error("root", { cause: "text" });
    const middle = new Error("middle", { cause: root });
    const outer = new Error("outer", { cause: middle });
    expect(causeChain(outer)).toEqual([outer, middle, root]);
  });

  it("follows an AggregateError through its first member, unless it has a cause", () => {
    const first = new Error("first");
    const aggregate = new AggregateError([first, new Error("second")], "all failed");
    expect(causeChain(aggregate)).toEqual([aggregate, first]);
    const cause = new Error("cause");
    const caused = new AggregateError([first], "all failed", { cause });
    expect(causeChain(caused)).toEqual([caused, cause]);
  });

  it("ends in a circle and after eight links", () => {
    const a = new Error("a");
    const b = new Error("b", { cause: a });
    a.cause = b;
    expect(causeChain(a)).toEqual([a, b]);
    let deep = new Error("0");
    for (let depth = 1; depth < 20; depth += 1) deep = new Error(`${depth}`, { cause: deep });
    expect(causeChain(deep).length).toBe(8);
  });
});

describe("errorCode", () => {
  it("is the first code in the chain", () => {
    const refused = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
    expect(errorCode(new Error("no connection", { cause: refused }))).toBe("ECONNREFUSED");
    expect(errorCode(new AggregateError([refused], "all failed"))).toBe("ECONNREFUSED");
  });

  it("is undefined when there is none, or a number as DOMException has", () => {
    expect(errorCode(new Error("plain"))).toBeUndefined();
    expect(errorCode(new DOMException("aborted", "AbortError"))).toBeUndefined();
  });
});
