import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../src/config/load.ts";
import { demoConfig } from "../../../src/demo/scenario.ts";
import { compileExpression } from "../../../src/signals/program.ts";

describe("demoConfig", () => {
  it("is accepted, without a warning", () => {
    const result = loadConfig(demoConfig(6379), {
      readFile: (file) => {
        throw new Error(`reads no file, but ${file}`);
      },
      environment: {},
      compileExpression,
    });
    expect(result).toMatchObject({ status: "loaded", warnings: [] });
  });
});
