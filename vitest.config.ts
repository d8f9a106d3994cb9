import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/{unit,contract,conformance}/**/*.test.ts", "test/*.test.ts"],
    globalSetup: ["test/servers/redis-binary.ts"],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    maxWorkers: 2,
  },
});
