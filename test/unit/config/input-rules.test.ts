import { describe, expect, it } from "vitest";
import { load } from "./load-fixture.ts";

/** What is wrong with a file whose one input and its connection have these polling settings. */
function findings(connection: string, input: string): readonly string[] {
  const result = load(`connections:
- { name: jobs, redis: { url: "redis://redis" }, polling: { ${connection} } }
signals:
- metadata: { namespace: shop, name: orders }
  spec:
    inputs:
    - name: jobs
      bullmq: { connectionRef: { name: jobs }, queue: orders${input && `, polling: { ${input} }`} }
    value: { expression: jobs.backlog }
`);
  if (result.status === "loaded") return [];
  return result.diagnostics.map(({ path, message }) => `${path}: ${message}`);
}

const source = "signals[0].spec.inputs[0].bullmq";

describe("the age limit of an input", () => {
  it.each([
    ["the defaults", "", "maxAgeSeconds: 8"],
    ["a longer interval", "intervalSeconds: 30", "maxAgeSeconds: 33"],
    ["another timeout", "timeoutSeconds: 10", "maxAgeSeconds: 15"],
    ["everything on the connection", "intervalSeconds: 1, timeoutSeconds: 1, maxAgeSeconds: 2", ""],
    ["no limit written, whatever the others are", "intervalSeconds: 1, timeoutSeconds: 300", ""],
  ])("may be one interval and one timeout: %s", (_name, connection, input) => {
    expect(findings(connection, input)).toEqual([]);
  });

  it.each<[string, string, string, string, string]>([
    [
      "the defaults",
      "",
      "maxAgeSeconds: 7",
      `${source}.polling`,
      "maxAgeSeconds 7 is below 8: a reading must last until the next one is there, intervalSeconds 5 plus timeoutSeconds 3",
    ],
    [
      "the interval alone, after which the next reading is still to come",
      "",
      "intervalSeconds: 1, maxAgeSeconds: 1",
      `${source}.polling`,
      "maxAgeSeconds 1 is below 4: a reading must last until the next one is there, intervalSeconds 1 plus timeoutSeconds 3",
    ],
    [
      "a timeout of the connection",
      "timeoutSeconds: 10",
      "maxAgeSeconds: 14",
      `${source}.polling`,
      "maxAgeSeconds 14 is below 15: a reading must last until the next one is there, intervalSeconds 5 plus timeoutSeconds 10",
    ],
    [
      "a timeout of the input",
      "maxAgeSeconds: 14",
      "timeoutSeconds: 10",
      `${source}.polling`,
      "maxAgeSeconds 14 is below 15: a reading must last until the next one is there, intervalSeconds 5 plus timeoutSeconds 10",
    ],
    [
      "everything on the connection",
      "intervalSeconds: 1, timeoutSeconds: 1, maxAgeSeconds: 1",
      "",
      source,
      "maxAgeSeconds 1 is below 2: a reading must last until the next one is there, intervalSeconds 1 plus timeoutSeconds 1",
    ],
  ])("may not be less: %s", (_name, connection, input, path, message) => {
    expect(findings(connection, input)).toEqual([`${path}: ${message}`]);
  });

  it("is not judged by a setting that is refused itself", () => {
    const found = findings("timeoutSeconds: 0", "maxAgeSeconds: 5");
    expect(found.filter((each) => each.includes("a reading must last"))).toEqual([]);
    expect(found).toHaveLength(1);
  });
});
