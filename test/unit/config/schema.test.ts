import * as z from "zod";
import { describe, expect, it } from "vitest";
import { configSchema } from "../../../src/config/schema.ts";

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
});
