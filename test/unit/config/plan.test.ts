import { describe, expect, it } from "vitest";
import type { Configuration } from "../../../src/config/plan.ts";
import { canary, fixtureText, load } from "./load-fixture.ts";
import { bullmqFields } from "../../../src/sources/bullmq/source-type.ts";

function accepted(text: string): Configuration {
  const result = load(text);
  if (result.status !== "loaded") expect.fail(JSON.stringify(result.diagnostics));
  return result.config;
}

/** What is polled for signals that read one queue, each with these keys in its input. */
function sharing(...keys: readonly string[]) {
  const signals = keys.map(
    (own, index) => `- metadata: { namespace: shop, name: s${index} }
  spec:
    inputs: [{ name: jobs, bullmq: { connectionRef: { name: jobs }, queue: orders, ${own} } }]
    value: { expression: jobs.backlog }
`,
  );
  const connections = 'connections: [{ name: jobs, redis: { url: "redis://redis" } }]';
  const config = accepted(`${connections}\nsignals:\n${signals.join("")}`);
  return config.connections.flatMap(({ queries }) => queries);
}

describe("planConfiguration", () => {
  it("fills in every default", () => {
    expect(accepted(fixtureText("minimal.good.yaml"))).toEqual({
      server: {},
      ops: { api: { enabled: false }, console: { enabled: false } },
      connections: [
        {
          name: "jobs",
          kind: "redis",
          identity: '{"redis":{"url":"redis://redis:6379/0"}}',
          options: {
            redis: {
              name: "jobs",
              address: { host: "redis", port: 6379, database: 0, isTls: false },
            },
          },
          allow: [],
          queries: [
            {
              queryKey: "jobs/bullmq/bullmq:bull:orders",
              query: {
                key: "bullmq:bull:orders",
                sourceType: "bullmq",
                description: 'queue "orders"',
                prefix: "bull",
                queue: "orders",
              },
              intervalMs: 5000,
              timeoutMs: 3000,
              allowsMissing: false,
            },
          ],
        },
      ],
      signals: [
        {
          namespace: "shop",
          name: "orders",
          metricName: "orders",
          metricLabels: {},
          inputs: [
            {
              name: "jobs",
              queryKey: "jobs/bullmq/bullmq:bull:orders",
              connectionIdentity: '{"redis":{"url":"redis://redis:6379/0"}}',
              description: 'bullmq queue "orders" on connection "jobs"',
              maxAgeMs: 18_000,
              fields: bullmqFields,
            },
          ],
          value: { expression: "jobs.backlog" },
          modifiers: {},
          onUnavailable: { policy: "Error" },
        },
      ],
    });
  });

  it("reads every key", () => {
    const config = accepted(fixtureText("every-key.good.yaml"));
    expect(config.server).toEqual({
      bindAddress: "::",
      logLevel: "warn",
      securePort: 0,
      tlsCertFile: "/tls/tls.crt",
      tlsPrivateKeyFile: "/tls/tls.key",
      shutdownDelaySeconds: 0,
    });
    expect(config.ops).toEqual({
      bindAddress: "localhost",
      port: 9090,
      api: { enabled: true },
      console: { enabled: true },
    });
    const [jobs, others] = config.connections.map(({ options }) => options.redis);
    expect(jobs?.address).toEqual({
      ...{ host: "redis.example", port: 6380, database: 3, isTls: true },
    });
    expect([jobs?.username?.(), jobs?.password?.()]).toEqual(["leadline", canary]);
    const { serverName, ca, cert, key } = jobs?.tls ?? {};
    expect([serverName, ca?.(), cert?.(), key?.()]).toEqual([
      ...["redis.internal", "authority", "certificate", canary],
    ]);
    expect(others?.address).toEqual({ host: "fd00::1", port: 6379, database: 0, isTls: false });
    expect([others?.username?.(), others?.password?.()]).toEqual(["leadline", canary]);
    expect(config.connections[0]?.allow).toEqual([
      { namespaces: ["shop", "*"], keys: ["bull:shop*"] },
    ]);
    expect(config.signals.map(({ onUnavailable }) => onUnavailable)).toEqual([
      { policy: "Hold", holdMs: 300_000 },
      { policy: "Value", value: 1.5 },
    ]);
    const [orders] = config.signals;
    expect(orders).toMatchObject({
      metricName: "Orders_Waiting",
      metricLabels: { queue: "orders", "example.com/team": "shop" },
      modifiers: { minimum: 1, maximum: 2000 },
    });
    expect(orders?.value.expression.split(/\s+/)).toEqual([
      ...["jobs.backlog", "+", "mails.backlog", "/", "30", ""],
    ]);
  });

  it("lets an input's polling win over its connection's, key by key", () => {
    const config = accepted(fixtureText("every-key.good.yaml"));
    const [jobs] = config.connections;
    expect(jobs?.queries.map(({ intervalMs, timeoutMs }) => [intervalMs, timeoutMs])).toEqual([
      [2000, 2000],
    ]);
    expect(config.signals[0]?.inputs.map(({ maxAgeMs }) => maxAgeMs)).toEqual([60_000, 18_000]);
  });

  it("offers stand-ins for a missing queue only where the user allows that", () => {
    const config = accepted(fixtureText("every-key.good.yaml"));
    const standIns = config.signals[0]?.inputs.map(
      ({ missingFields }) => missingFields?.["waiting"],
    );
    expect(standIns).toEqual([0, undefined]);
  });

  it.each([
    ["no reader", [false, false], false],
    ["the first", [true, false], true],
    ["the second", [false, true], true],
  ])("asks for what may be missing without backoff where %s allows that", (_who, allow, allows) => {
    const [query] = sharing(...allow.map((isAllowed) => `allowMissing: ${isAllowed}`));
    expect(query?.allowsMissing).toBe(allows);
  });

  const quick = "polling: { intervalSeconds: 2, timeoutSeconds: 1 }";
  const patient = "polling: { intervalSeconds: 60, timeoutSeconds: 300 }";
  it.each([
    ["the quicker one first", [quick, patient]],
    ["the quicker one last", [patient, quick]],
    [
      "each quicker in one thing",
      ["polling: { intervalSeconds: 2 }", "polling: { timeoutSeconds: 1 }"],
    ],
  ])("lets the smallest interval and the smallest timeout win: %s", (_name, readers) => {
    expect(sharing(...readers)).toMatchObject([{ intervalMs: 2000, timeoutMs: 1000 }]);
  });

  it("polls what two signals read once, each with its own age", () => {
    const config = accepted(fixtureText("shared-query.good.yaml"));
    expect(config.connections[0]?.queries).toHaveLength(1);
    expect(config.signals.flatMap(({ inputs }) => inputs.map(({ maxAgeMs }) => maxAgeMs))).toEqual([
      18_000, 7000,
    ]);
  });

  it("gives the inputs the identity of their connection, so that they start anew with it", () => {
    const config = accepted(fixtureText("every-key.good.yaml"));
    const [jobs, others] = config.connections.map(({ identity }) => identity);
    const inputs = config.signals.flatMap((signal) => signal.inputs);
    expect(inputs.map(({ connectionIdentity }) => connectionIdentity)).toEqual([
      ...[jobs, others, others],
    ]);
  });

  it("gives a connection another identity exactly when its options change", () => {
    const identity = (redis: string, rest = ""): string | undefined =>
      accepted(`connections:\n- { name: jobs, redis: ${redis}${rest} }\n`).connections[0]?.identity;
    const plain = identity('{ url: "redis://redis" }');
    expect(identity('{ url: "redis://redis" }', ", polling: { intervalSeconds: 9 }")).toBe(plain);
    expect(identity('{ url: "redis://other" }')).not.toBe(plain);
    expect(identity('{ url: "redis://redis", password: { env: REDIS_PASSWORD } }')).not.toBe(plain);
  });
});
