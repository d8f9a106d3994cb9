import { describe, expect, it } from "vitest";
import { load } from "./load-fixture.ts";

/** Parts of one signal, each of which a row may spoil; flow style, so that a part is one text. */
interface Parts {
  readonly metadata: string;
  readonly metric: string;
  readonly inputs: string;
  readonly value: string;
  readonly modifiers: string;
  readonly onUnavailable: string;
}

const sound: Parts = {
  metadata: "{ namespace: shop, name: orders }",
  metric: "{ name: orders }",
  inputs: "[{ name: jobs, bullmq: { connectionRef: { name: main }, queue: q } }]",
  value: "{ expression: jobs.backlog }",
  modifiers: "{}",
  onUnavailable: "{}",
};

/** A sound signal before it, for the rules that compare signals. */
const other = signalOf({ ...sound, metadata: "{ namespace: shop, name: other }" });

function signalOf({ metadata, ...spec }: Parts): string {
  const lines = Object.entries(spec).map(([key, text]) => `    ${key}: ${text}\n`);
  return `- metadata: ${metadata}\n  spec:\n${lines.join("")}`;
}

function findingsIn(...signals: readonly string[]): readonly string[] {
  const connections = `connections:
- { name: main, redis: { url: "redis://redis" }, polling: { intervalSeconds: 20 } }
`;
  const result = load(`${connections}signals:\n${signals.join("")}`);
  const findings = result.status === "loaded" ? result.warnings : result.diagnostics;
  return findings
    .filter(({ severity }) => severity === "error")
    .map(({ path, message }) => `${path}: ${message}`);
}

/** Every rule that looks beyond the shape of a signal: the part that breaks it, and what is said. */
const rules: readonly (readonly [string, Partial<Parts>, string])[] = [
  [
    "a signal written twice",
    { metadata: "{ namespace: shop, name: other }", metric: "{ name: another }" },
    'signals[1].metadata.name: another signal is "shop/other" already',
  ],
  [
    "a reserved metric name",
    { metric: "{ name: status }" },
    'signals[1].spec.metric.name: metric name "status" is reserved by the API: requests for it never arrive',
  ],
  [
    "a metric name that no URL can hold",
    { metric: "{ name: a/b }" },
    'signals[1].spec.metric.name: expected a metric name without "/" and "%" that is not "." or ".."; found "a/b"',
  ],
  [
    "a label key that no selector can express",
    { metric: '{ name: mine, labels: { "a b": c } }' },
    "signals[1].spec.metric.labels[\"a b\"]: no Kubernetes selector can express label key \"a b\"; expected [PREFIX/]NAME, NAME of 1 to 63 letters, digits, '-', '_', '.'",
  ],
  [
    "a label value that no selector can express",
    { metric: '{ name: mine, labels: { a: "b!" } }' },
    "signals[1].spec.metric.labels.a: no Kubernetes selector can express label value \"b!\"; expected 1 to 63 letters, digits, '-', '_', '.', the first and last a letter or digit",
  ],
  [
    "a metric name that differs in case",
    { metric: "{ name: Orders }" },
    'signals[1].spec.metric.name: metric name "Orders" differs from "orders" only in case, and requests do not tell case',
  ],
  [
    "a metric served twice",
    { metric: "{ name: orders }" },
    'signals[1].spec.metric.name: signal "shop/other" already serves metric "orders" with the same labels',
  ],
  [
    "an unknown connection",
    {
      metric: "{ name: mine }",
      inputs: "[{ name: jobs, bullmq: { connectionRef: { name: man }, queue: q } }]",
    },
    'signals[1].spec.inputs[0].bullmq.connectionRef.name: no connection is named "man"; did you mean "main"? there are: main',
  ],
  [
    "an input name that is a word of CEL",
    {
      metric: "{ name: mine }",
      inputs: "[{ name: in, bullmq: { connectionRef: { name: main }, queue: q } }]",
      value: '{ expression: "1" }',
    },
    'signals[1].spec.inputs[0].name: "in" is a word of CEL; an input needs another name',
  ],
  [
    "an age below the interval",
    {
      metric: "{ name: mine }",
      inputs:
        "[{ name: jobs, bullmq: { connectionRef: { name: main }, queue: q, polling: { maxAgeSeconds: 10 } } }]",
    },
    "signals[1].spec.inputs[0].bullmq.polling: maxAgeSeconds 10 is below 23: a reading must last until the next one is there, intervalSeconds 20 plus timeoutSeconds 3",
  ],
  [
    "an unknown field",
    { metric: "{ name: mine }", value: "{ expression: jobs.backlogg }" },
    'signals[1].spec.value.expression: input "jobs" has no field "backlogg"; its fields: waiting, prioritized, delayedDue, active, takeable, backlog, paused, arrivals, completions, arrivalRate, serviceRate, headOfLineAgeSeconds',
  ],
  [
    "an unknown input",
    { metric: "{ name: mine }", value: "{ expression: job.backlog }" },
    'signals[1].spec.value.expression: unknown input "job"; the inputs: jobs',
  ],
  [
    "a minimum above the maximum",
    { metric: "{ name: mine }", modifiers: "{ minimum: 10, maximum: 5 }" },
    "signals[1].spec.modifiers.minimum: minimum 10 is above maximum 5",
  ],
  [
    "a minimum that is no Quantity",
    { metric: "{ name: mine }", modifiers: "{ minimum: 1x }" },
    'signals[1].spec.modifiers.minimum: expected a Quantity of 0 or more that an HPA can decode, e.g. 3, "1500m", "2k"; found "1x"',
  ],
  [
    "a substitute that is no Quantity",
    { metric: "{ name: mine }", onUnavailable: "{ policy: Value, value: 1x }" },
    'signals[1].spec.onUnavailable.value: expected a Quantity of 0 or more that an HPA can decode, e.g. 3, "1500m", "2k"; found "1x"',
  ],
];

/** Shapes that are refused, each as an edit of the second signal's text. */
const faults: readonly (readonly [string, (text: string) => string])[] = [
  ["an input's queue", (text) => text.replace("queue: q", 'queue: "a:b"')],
  ["an input without a queue", (text) => text.replace(", queue: q", "")],
  ["an unknown key of an input", (text) => text.replace("queue: q", "queue: q, retries: 1")],
  ["an unknown key of the signal", (text) => `${text}  status: {}\n`],
  ["a workload", (text) => `${text}    workloadRef: { kind: deployment }\n`],
  [
    "an unknown key of a policy",
    (text) => text.replace("onUnavailable: {", "onUnavailable: { x: 1,"),
  ],
  ["an unknown modifier", (text) => text.replace("modifiers: {", "modifiers: { scale: 2,")],
];

describe("loadConfig, everything at once", () => {
  it.each(rules)("finds %s in a signal that is sound otherwise", (_name, parts, finding) => {
    expect(findingsIn(other, signalOf({ ...sound, ...parts }))).toEqual([finding]);
  });

  const both = rules.flatMap(([rule, parts, finding]) =>
    faults.map(([fault, spoil]) => ({ rule, fault, parts, spoil, finding })),
  );
  it.each(both)("finds $rule beside $fault that is refused", ({ parts, spoil, finding }) => {
    const alone = findingsIn(other, spoil(signalOf({ ...sound, metric: "{ name: mine }" })));
    const found = findingsIn(other, spoil(signalOf({ ...sound, ...parts })));
    expect(alone).not.toEqual([]);
    expect([...found].sort()).toEqual([...alone, finding].sort());
  });

  it.each<readonly [string, Partial<Parts>, readonly string[]]>([
    [
      "an input whose name is refused",
      {
        inputs: "[{ name: my-jobs, bullmq: { connectionRef: { name: main }, queue: q } }]",
        value: "{ expression: myjobs.backlog }",
      },
      ['inputs[0].name: expected a CEL identifier, e.g. jobs; found "my-jobs"'],
    ],
    [
      "an input whose source is unknown",
      { inputs: "[{ name: jobs, bulmq: { connectionRef: { name: main }, queue: q } }]" },
      ['inputs[0].bulmq: unknown key "bulmq"; did you mean "bullmq"? allowed: name, bullmq'],
    ],
    [
      "inputs that are no list",
      { inputs: "{ name: jobs }" },
      ["inputs: expected a list of 1 to 16 inputs; found a map"],
    ],
    [
      "an empty list of inputs",
      { inputs: "[]" },
      ["inputs: expected a list of 1 to 16 inputs; found an empty list"],
    ],
    [
      "a misspelled metric name, with a signal's name that is reserved",
      { metadata: "{ namespace: shop, name: status }", metric: "{ nmae: mine }" },
      ['metric.nmae: unknown key "nmae"; did you mean "name"? allowed: name, labels'],
    ],
    [
      "a refused metric name, with a signal's name that is taken in another case",
      { metadata: "{ namespace: shop, name: ORDERS }", metric: "{ name: a b }" },
      [
        "../metadata.name: expected a DNS subdomain: lower-case letters, digits, '-' and '.', 1 to 253 characters; found \"ORDERS\"",
        'metric.name: expected a metric name: printable ASCII without spaces, 1 to 253 characters; found "a b"',
      ],
    ],
    [
      "a refused label, without which the metric would be served twice",
      { metric: "{ name: orders, labels: { a: 1 } }" },
      ['metric.labels.a: expected text in quotes, e.g. "1"; found 1'],
    ],
    [
      "a refused interval, without which the age would be too short",
      {
        metric: "{ name: mine }",
        inputs:
          "[{ name: jobs, bullmq: { connectionRef: { name: main }, queue: q, polling: { intervalSeconds: 5s, maxAgeSeconds: 10 } } }]",
      },
      [
        'inputs[0].bullmq.polling.intervalSeconds: expected integer seconds, e.g. 5 (1 to 3600); found "5s"',
      ],
    ],
    [
      "a refused maximum",
      { metric: "{ name: mine }", modifiers: "{ minimum: 10, maximum: -1 }" },
      [
        'modifiers.maximum: expected an integer of 0 or more, or a Quantity string, e.g. 3, "1500m"; found -1',
      ],
    ],
  ])("says nothing more of %s", (_name, parts, findings) => {
    const expected = findings.map((each) =>
      each.startsWith("../") ? each.replace("../", "signals[1].") : `signals[1].spec.${each}`,
    );
    const signal = signalOf({ ...sound, metric: "{ name: mine }", ...parts });
    expect(findingsIn(other, signal)).toEqual(expected);
  });

  it("checks what an expression reads of the inputs that are known, beside one that is not", () => {
    const inputs =
      "[{ name: jobs, bullmq: { connectionRef: { name: main }, queue: q } }, { name: my-mails, bullmq: { connectionRef: { name: main }, queue: r } }]";
    const value = "{ expression: jobs.backlogg + mails.backlog }";
    const signal = signalOf({ ...sound, metric: "{ name: mine }", inputs, value });
    expect(findingsIn(other, signal)).toEqual([
      'signals[1].spec.inputs[1].name: expected a CEL identifier, e.g. jobs; found "my-mails"',
      'signals[1].spec.value.expression: input "jobs" has no field "backlogg"; its fields: waiting, prioritized, delayedDue, active, takeable, backlog, paused, arrivals, completions, arrivalRate, serviceRate, headOfLineAgeSeconds',
    ]);
  });

  it.each([
    ["a url", 'redis: { url: "amqp://redis", SECRETS }'],
    [
      "a rule",
      'redis: { url: "redis://redis", SECRETS }, allow: [{ namespaces: [Shop], keys: [a] }]',
    ],
    ["a name", 'redis: { url: "redis://redis", SECRETS }, name: Main'],
    ["a certificate", 'redis: { url: "rediss://redis", SECRETS, tls: { certFile: /tls/tls.crt } }'],
  ])("finds secrets that are not there beside %s that is refused", (_name, connection) => {
    const secrets = "username: { env: NO_USER }, password: { file: /secrets/none }";
    const result = load(`connections:\n- { ${connection.replace("SECRETS", secrets)} }\n`);
    const findings = result.status === "loaded" ? [] : result.diagnostics;
    const messages = findings.map(({ message }) => message);
    expect(messages).toContain("environment variable NO_USER is not set");
    expect(messages).toContain("file /secrets/none does not exist");
    expect(messages.length).toBeGreaterThan(2);
  });

  it.each([
    [
      "half a serving certificate",
      "server: { tlsCertFile: /tls/tls.crt, securePort: x }",
      "tlsCertFile and tlsPrivateKeyFile need each other",
    ],
    [
      "half a client certificate",
      'connections: [{ name: a, redis: { url: "rediss://a", tls: { certFile: /tls/tls.crt, caFile: 1 } } }]',
      "certFile and keyFile need each other",
    ],
    [
      "TLS settings without TLS",
      'connections: [{ name: a, redis: { url: "redis://a", password: 1, tls: { caFile: 1 } } }]',
      "needs a rediss:// url",
    ],
  ])("finds %s beside keys that are refused", (_name, text, message) => {
    const result = load(`${text}\n`);
    const findings = result.status === "loaded" ? [] : result.diagnostics;
    expect(findings.map((each) => each.message)).toContain(message);
    expect(findings.length).toBeGreaterThan(1);
  });

  it("takes a misspelled key for the other half", () => {
    const result = load("server: { tlsCertFile: /tls/tls.crt, tlsKeyFile: /tls/tls.key }\n");
    const findings = result.status === "loaded" ? [] : result.diagnostics;
    expect(findings.map(({ path }) => path)).toEqual(["server.tlsKeyFile"]);
  });
});
