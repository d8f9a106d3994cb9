import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { systemClock } from "../../../src/runtime/clock.ts";
import { createSource, sourceTypes } from "../../../src/sources/registry.ts";
import { fixedRandom } from "../../fakes/fixed-random.ts";

const registry = new URL("../../../src/sources/registry.ts", import.meta.url).href;

/** Modules whose path contains the name, after a script has run in a process of its own. */
async function loaded(name: string, script: string): Promise<number> {
  const program = `
    import { registerHooks } from "node:module";
    let count = 0;
    registerHooks({ load: (url, context, next) => {
      if (url.includes(${JSON.stringify(name)})) count += 1;
      return next(url, context);
    } });
    const { createSource, sourceTypes } = await import(${JSON.stringify(registry)});
    ${script}
    console.log(count);
  `;
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...["--input-type=module", "--no-warnings", "--eval", program],
  ]);
  return Number(stdout);
}

const options = `{ redis: { name: "jobs", address: { host: "127.0.0.1", port: 1, database: 0, isTls: false } } }`;
const dependencies = `{ clock: { now: () => 0, monotonic: () => 0 }, random: () => 0 }`;

test("knows every source type without loading a client", async () => {
  expect(await loaded("/ioredis/", "sourceTypes.bullmq.fields;")).toBe(0);
});

test("loads the client with the first source, and the process ends by itself", async () => {
  const script = `await createSource(${options}, ${dependencies});`;
  expect(await loaded("/ioredis/", script)).toBeGreaterThan(0);
});

test("every type's description fits its source", () => {
  for (const [name, type] of Object.entries(sourceTypes)) {
    expect(type.name).toBe(name);
    expect(type.fields).toEqual(expect.arrayContaining(Object.keys(type.missingFields)));
  }
});

test("equal inputs are one query; prefix and name tell others apart", () => {
  const query = (prefix: string, queue: string) => sourceTypes.bullmq.query({ prefix, queue });
  expect(query("bull", "orders")).toEqual(query("bull", "orders"));
  expect(query("bull", "orders")).toEqual({
    key: "bullmq:bull:orders",
    sourceType: "bullmq",
    description: 'queue "orders"',
    prefix: "bull",
    queue: "orders",
  });
  const keys = [query("bull", "orders"), query("bull", "other"), query("{bull}", "orders")];
  expect(new Set(keys.map(({ key }) => key)).size).toBe(3);
});

test("a source can be closed without ever having been used", async () => {
  const address = { host: "127.0.0.1", port: 1, database: 0, isTls: false };
  const source = await createSource(
    { redis: { name: "jobs", address } },
    { clock: systemClock, random: fixedRandom(0) },
  );
  await source.close();
});
