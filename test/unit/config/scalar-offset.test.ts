import { describe, expect, it } from "vitest";
import { load } from "./load-fixture.ts";

/** The place of the first finding about an expression that is written as `lines` say, below `value:` of a signal. */
function placeOf(lines: readonly string[]): readonly (number | undefined)[] {
  const text = [
    'connections: [{ name: jobs, redis: { url: "redis://redis" } }]',
    "signals:",
    "  - metadata: { namespace: shop, name: orders }",
    "    spec:",
    "      inputs: [{ name: jobs, bullmq: { connectionRef: { name: jobs }, queue: orders } }]",
    "      value:",
    ...lines,
    "",
  ].join("\n");
  const result = load(text);
  const [finding] = result.status === "rejected" ? result.diagnostics : [];
  return [finding?.line, finding?.column];
}

describe("the place of a finding in an expression", () => {
  it.each([
    ["plain text", ["        expression: jobs.active + nope.x"], [7, 35]],
    ["single quotes", ["        expression: 'jobs.active + nope.x'"], [7, 36]],
    ["double quotes", ['        expression: "jobs.active + nope.x"'], [7, 36]],
    ["escapes: the start", ['        expression: "jobs.active\\t+ nope.x"'], [7, 21]],
    ["a literal block", ["        expression: |", "          1 +", "            nope.x"], [9, 13]],
    ["a block without its last newline", ["        expression: |-", "          nope.x"], [8, 11]],
    [
      "a block that starts with empty lines",
      ["        expression: |", "", "", "          1 + nope.x"],
      [10, 15],
    ],
    [
      "a folded block: the start",
      ["        expression: >", "          1 +", "          nope.x"],
      [7, 21],
    ],
    ["text over two lines: the start", ["        expression: 1 +", "          nope.x"], [7, 21]],
    ["an end that is missing", ["        expression: 1 +"], [7, 24]],
  ])("is exact for %s", (_title, lines, place) => {
    expect(placeOf(lines)).toEqual(place);
  });
});
