import { describe, expect, it } from "vitest";
import { parseRedisUrl } from "../../../../src/connections/redis/config.ts";

const canary = "hunter2-canary";

describe("parseRedisUrl", () => {
  it.each([
    ["redis://redis", { host: "redis", port: 6379, database: 0, isTls: false }],
    ["redis://redis/", { host: "redis", port: 6379, database: 0, isTls: false }],
    ["rediss://redis:7000/15", { host: "redis", port: 7000, database: 15, isTls: true }],
    ["redis://[::1]:1/2", { host: "::1", port: 1, database: 2, isTls: false }],
    ["redis://10.0.0.1", { host: "10.0.0.1", port: 6379, database: 0, isTls: false }],
  ])("reads %s", (text, address) => {
    expect(parseRedisUrl(text)).toEqual({ status: "parsed", address });
  });

  it("never repeats a url that it refuses", () => {
    const places = [
      `redis://:${canary}@h`,
      `${canary}@h`,
      `redis://${canary}/x/y`,
      `redis://h?${canary}`,
    ];
    for (const text of [...places, `redis://h/${canary}`, `http://h/${canary}`, canary]) {
      const result = parseRedisUrl(text);
      expect(result.status).toBe("rejected");
      expect(JSON.stringify(result)).not.toContain(canary);
    }
  });
});
