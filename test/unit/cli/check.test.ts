import { describe, expect, it } from "vitest";
import { runCheck } from "../../../src/cli/check.ts";
import type { CheckOptions } from "../../../src/cli/check.ts";

const files: Readonly<Record<string, string>> = {
  "good.yaml": `connections:
- { name: jobs, redis: { url: "redis://redis" } }
signals:
- metadata: { namespace: shop, name: orders }
  spec:
    inputs: [{ name: jobs, bullmq: { connectionRef: { name: jobs }, queue: orders } }]
    value: { expression: jobs.backlog }
`,
  "warns.yaml": `connections:
- { name: a, redis: { url: "redis://redis" } }
- { name: b, redis: { url: "redis://redis" } }
`,
  "bad.yaml": `connections:
- { name: jobs, redis: { url: "redis://redis" }, polling: { intervalSeconds: 5s } }
extra: 1
`,
};

function check(options: Pick<CheckOptions, "file" | "output">) {
  const written = { stdout: "", stderr: "" };
  const exitCode = runCheck({
    ...options,
    readFile: (path) => {
      const text = files[path];
      if (text === undefined) throw Object.assign(new Error("no"), { code: "ENOENT" });
      return text;
    },
    environment: {},
    stdout: (text) => (written.stdout += text),
    stderr: (text) => (written.stderr += text),
  });
  return { exitCode, ...written };
}

const interval = {
  severity: "error",
  path: "connections[0].polling.intervalSeconds",
  line: 2,
  column: 78,
  message: 'expected integer seconds, e.g. 5 (1 to 3600); found "5s"',
  found: '"5s"',
  allowed: "integer seconds, e.g. 5 (1 to 3600)",
};
const extra = {
  severity: "error",
  path: "extra",
  line: 3,
  column: 1,
  message: 'unknown key "extra"; allowed: connections, signals, server, ops',
  found: '"extra"',
  allowed: "connections, signals, server, ops",
};

describe("runCheck", () => {
  it.each([
    ["good.yaml", 0, "good.yaml: valid: 1 connection, 1 signal, 1 query\n", ""],
    [
      "warns.yaml",
      0,
      "warns.yaml: valid: 2 connections, 0 signals, 0 queries\n",
      'warns.yaml:3:28 connections[1].redis.url: warning: the same server as connection "a": one connection can serve both\n',
    ],
    [
      "bad.yaml",
      1,
      `bad.yaml:2:78 ${interval.path}: ${interval.message}\nbad.yaml:3:1 extra: ${extra.message}\n`,
      "",
    ],
    ["none.yaml", 1, "none.yaml:1:1 document: file none.yaml does not exist\n", ""],
  ])("says of %s as text what is to be said", (file, exitCode, stdout, stderr) => {
    expect(check({ file, output: "text" })).toEqual({ exitCode, stdout, stderr });
  });

  it.each([
    ["good.yaml", 0, { errors: [], warnings: [] }],
    ["bad.yaml", 1, { errors: [interval, extra], warnings: [] }],
  ])("says of %s as JSON what is to be said", (file, exitCode, findings) => {
    const result = check({ file, output: "json" });
    expect(result).toMatchObject({ exitCode, stderr: "" });
    expect(JSON.parse(result.stdout)).toEqual({ file, ...findings });
  });
});
