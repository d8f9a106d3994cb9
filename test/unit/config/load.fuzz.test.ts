import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LoadResult } from "../../../src/config/load.ts";
import { canary, fixtureText, load } from "./load-fixture.ts";

const whole = fixtureText("every-key.good.yaml");

/** The same cases each time; another seed or more runs are a matter of two words here. */
const runs = { numRuns: 150, seed: 20_261_121 };

/** Every finding is placed within the text, and an error is what refuses it. */
function expectWellFormed(text: string, result: LoadResult): void {
  const lines = text.replace(/^\uFEFF/, "").split("\n");
  const findings = result.status === "loaded" ? result.warnings : result.diagnostics;
  for (const { line, column, message, path } of findings) {
    expect(line).toBeGreaterThanOrEqual(1);
    expect(line).toBeLessThanOrEqual(lines.length);
    expect(column).toBeGreaterThanOrEqual(1);
    expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 1);
    expect(message).not.toBe("");
    expect(path).not.toBe("");
  }
  const hasError = findings.some(({ severity }) => severity === "error");
  expect(hasError).toBe(result.status === "rejected");
}

/** Pieces that YAML and the schema treat in a way of their own. */
const pieces = fc.constantFrom(
  ...[
    "\n",
    "\t",
    "- ",
    ": ",
    "? ",
    "{",
    "}",
    "[",
    "]",
    '"',
    "'",
    "|\n",
    ">\n",
    "&a ",
    "*a",
    "<<: ",
    "#",
    ",",
  ],
  ...[
    "~",
    "null",
    "1e999",
    "0o17",
    ".nan",
    "-1",
    "5s",
    "!!str ",
    "---\n",
    "%YAML 1.1\n",
    "\u0000",
    "\uFEFF",
  ],
  ...[
    "signals:\n",
    "  - ",
    "name",
    "connections: ",
    "redis",
    "true",
    "@",
    "`",
    "\r\n",
    "\u2028",
    "😀",
    "__proto__: ",
  ],
);
const junk = fc.oneof(pieces, fc.string({ maxLength: 8, unit: "binary" }));

const edits = fc.array(
  fc.record({
    at: fc.nat(whole.length),
    remove: fc.nat(30),
    insert: fc.array(junk, { maxLength: 3 }),
  }),
  { minLength: 1, maxLength: 4 },
);

/** Any JSON below the keys that a file has. */
const key = fc.constantFrom(
  ...[
    "connections",
    "signals",
    "server",
    "ops",
    "name",
    "redis",
    "url",
    "password",
    "env",
    "file",
    "spec",
  ],
  ...[
    "metadata",
    "inputs",
    "bullmq",
    "connectionRef",
    "queue",
    "value",
    "expression",
    "polling",
    "labels",
    "metric",
  ],
  ...[
    "modifiers",
    "minimum",
    "onUnavailable",
    "policy",
    "holdSeconds",
    "allow",
    "tls",
    "intervalSeconds",
    "x",
  ],
);
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    fc.oneof(
      fc.constantFrom(
        null,
        true,
        0,
        -1,
        1.5,
        1e21,
        "",
        "jobs",
        "Hold",
        "jobs.backlog",
        "redis://redis",
      ),
      fc.string({ maxLength: 6 }),
    ),
    fc.array(tie("tree"), { maxLength: 3 }),
    fc.dictionary(key, tie("tree"), { maxKeys: 5 }),
  ),
}));

describe("loadConfig on anything", () => {
  it("never throws on a file with edits, and places every finding in the text", () => {
    fc.assert(
      fc.property(edits, (changes) => {
        let text = whole;
        for (const { at, remove, insert } of changes) {
          text = text.slice(0, at) + insert.join("") + text.slice(at + remove);
        }
        expectWellFormed(text, load(text));
      }),
      runs,
    );
  });

  it("never throws on any tree, and places every finding in the text", () => {
    fc.assert(
      fc.property(tree, (value) => {
        const text = JSON.stringify(value, undefined, 1);
        expectWellFormed(text, load(text));
      }),
      runs,
    );
  });

  it("never shows a secret, wherever somebody put it below a connection", () => {
    const places = [
      ...[
        'redis: { url: "redis://:S@h" }',
        'redis: { url: "redis://u:S@h" }',
        'redis: { url: "S" }',
      ],
      ...['redis: { url: "rediss://h/S" }', 'redis: { url: "redis://h?password=S" }', "redis: S"],
      ...['redis: { url: "redis://h", password: S }', 'redis: { url: "redis://h", password: [S] }'],
      ...[
        'redis: { url: "redis://h", password: { env: S-x } }',
        "redis: { password: { value: S } }",
      ],
      ...[
        'redis: { url: "redis://h", username: [S] }',
        'redis: { url: "redis://h", username: "S S" }',
      ],
      ...[
        'redis: { url: "redis://h", pasword: S }',
        'redis: { url: "redis://h", auth: { token: S } }',
      ],
      ...['redis: { url: "redis://h", tls: { key: S } }', 'redis: { url: "redis://h", tls: S }'],
      ...['url: "redis://:S@h"', 'kafka: { sasl: { password: "S" } }', "password: S", "allow: S"],
      ...[
        'redis: { url: "redis://h", password: "S }',
        'redis: { url: "redis://h", password: S: S }',
      ],
      ...["redis: { password: @S }", "redis: { password: *S }", "redis: { password: !S x }"],
      ...['redis: { password: "\\qS" }', "redis:\n\tpassword: S", "redis: &S { password: *S }"],
      ...['polling: "redis://:S@h"', 'name: "redis://:S@h"', '"redis://:S@h": 1', "redis: [S"],
    ];
    const secret = fc.constantFrom(canary, "hunter2", "p4ss-w0rd.x", "12345678901");
    fc.assert(
      fc.property(fc.constantFrom(...places), secret, (place, value) => {
        const text = `connections:\n- name: jobs\n  ${place.replaceAll("S", value)}\n`;
        const result = load(text);
        expect(JSON.stringify(result)).not.toContain(value);
        expectWellFormed(text, result);
      }),
      runs,
    );
  });
});
