import { describe, expect, it } from "vitest";
import { formatPath, renderDiagnostic } from "../../../src/config/diagnostics.ts";

describe("formatPath", () => {
  it.each([
    [[], "document"],
    [["signals", 0, "spec"], "signals[0].spec"],
    [["labels", "a.b/c"], 'labels["a.b/c"]'],
    [["labels", ""], 'labels[""]'],
    [[0, "a"], "[0].a"],
  ] as const)("writes %j as %s", (path, expected) => {
    expect(formatPath(path)).toBe(expected);
  });
});

describe("renderDiagnostic", () => {
  it.each([
    ["error", "f.yaml:3:7 a.b: wrong"],
    ["warning", "f.yaml:3:7 a.b: warning: wrong"],
  ] as const)("writes an %s on one line", (severity, expected) => {
    const diagnostic = { severity, path: "a.b", line: 3, column: 7, message: "wrong" };
    expect(renderDiagnostic("f.yaml", diagnostic)).toBe(expected);
  });
});
