import { describe, expect, it } from "vitest";
import { HealthRegistry } from "../../../src/runtime/health.ts";
import type { Check, CheckResult } from "../../../src/runtime/health.ts";
import { renderProbe } from "../../../src/runtime/probe-text.ts";

const ok: CheckResult = { status: "ok" };
const failed: CheckResult = { status: "failed", reason: "token of the cluster expired" };

function check(name: string, result: CheckResult): Check {
  return { name, run: () => result };
}

function registryOf(liveness: readonly Check[], readiness: readonly Check[]): HealthRegistry {
  const registry = new HealthRegistry();
  for (const each of liveness) registry.addLiveness(each);
  for (const each of readiness) registry.addReadiness(each);
  return registry;
}

describe("HealthRegistry", () => {
  it("runs liveness checks for livez and healthz, and the readiness checks too for readyz", () => {
    const registry = registryOf([check("ping", ok)], [check("first-poll", failed)]);
    const ping = { name: "ping", result: ok };
    expect(registry.report("livez")).toEqual({ probe: "livez", isHealthy: true, checks: [ping] });
    expect(registry.report("healthz")).toEqual({
      probe: "healthz",
      isHealthy: true,
      checks: [ping],
    });
    expect(registry.report("readyz")).toEqual({
      probe: "readyz",
      isHealthy: false,
      checks: [ping, { name: "first-poll", result: failed }],
    });
  });

  it("is healthy without any check", () => {
    expect(registryOf([], []).report("readyz").isHealthy).toBe(true);
  });

  it("counts a check that throws as failed", () => {
    const broken: Check = {
      name: "broken",
      run: () => {
        throw new Error("inside");
      },
    };
    expect(registryOf([broken], []).report("livez").checks).toEqual([
      { name: "broken", result: { status: "failed", reason: "inside" } },
    ]);
  });
});

describe("renderProbe", () => {
  const green = registryOf([check("ping", ok)], [check("first-poll", ok)]);
  const red = registryOf([check("ping", ok)], [check("first-poll", failed)]);
  const failures = [{ name: "first-poll", reason: "token of the cluster expired" }];
  it.each([
    ["green", green, "", { isHealthy: true, body: "ok", failures: [] }],
    [
      "green, verbose",
      green,
      "verbose",
      {
        isHealthy: true,
        body: "[+]ping ok\n[+]first-poll ok\nreadyz check passed\n",
        failures: [],
      },
    ],
    [
      "red lists the checks and withholds the reason",
      red,
      "",
      {
        isHealthy: false,
        body: "[+]ping ok\n[-]first-poll failed: reason withheld\nreadyz check failed\n",
        failures,
      },
    ],
    [
      "red, its check excluded",
      red,
      "exclude=first-poll",
      { isHealthy: true, body: "ok", failures: [] },
    ],
    [
      "excluded, verbose",
      red,
      "verbose&exclude=first-poll",
      {
        isHealthy: true,
        body: "[+]ping ok\n[+]first-poll excluded: ok\nreadyz check passed\n",
        failures: [],
      },
    ],
    [
      "excluding what there is not",
      green,
      "verbose&exclude=nothing",
      {
        isHealthy: true,
        body: '[+]ping ok\n[+]first-poll ok\nwarn: some health checks cannot be excluded: no matches for "nothing"\nreadyz check passed\n',
        failures: [],
      },
    ],
  ])("%s", (_name, registry, query, expected) => {
    expect(renderProbe(registry.report("readyz"), new URLSearchParams(query))).toEqual(expected);
  });
});
