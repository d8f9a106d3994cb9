import { describe, expect, it } from "vitest";
import { createRegistry } from "../../../src/observability/registry.ts";

describe("createRegistry", () => {
  it("shows the process, Node.js and the build", async () => {
    const registry = createRegistry({ version: "0.1.0", node: "v24.0.0" });
    const text = await registry.metrics();
    expect(text).toContain('leadline_build_info{version="0.1.0",node="v24.0.0"} 1');
    for (const name of ["process_resident_memory_bytes", "nodejs_eventloop_lag_seconds"]) {
      expect(text).toContain(`# TYPE ${name} gauge`);
    }
  });

  it("shares nothing with another one in the same process", () => {
    const first = createRegistry({ version: "1", node: "v24" });
    expect(createRegistry({ version: "2", node: "v24" })).not.toBe(first);
  });
});
