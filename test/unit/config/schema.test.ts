import * as z from "zod";
import { describe, expect, it } from "vitest";
import { configSchema, serverSchema } from "../../../src/config/schema.ts";
import { logLevels } from "../../../src/observability/logger.ts";

describe("configSchema", () => {
  it("becomes a JSON schema in which only what has no default is required", () => {
    const schema = z.toJSONSchema(configSchema, { io: "input", target: "draft-7" });
    expect(schema.required).toBeUndefined();
    expect(Object.keys(schema.properties ?? {})).toEqual([
      "connections",
      "signals",
      "server",
      "ops",
    ]);
    expect(schema.additionalProperties).toBe(false);
  });

  it("takes the levels that the logger has", () => {
    expect(serverSchema.shape.logLevel.unwrap().options).toEqual(logLevels);
  });
});
