import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { CheckResult } from "../../src/runtime/health.ts";
import { ApiStand } from "./api-stand.ts";

let stand: ApiStand;
let shutdown: CheckResult = { status: "ok" };
beforeAll(async () => {
  stand = await ApiStand.start();
  stand.health.addReadiness({ name: "shutdown", run: () => shutdown });
});
afterEach(() => {
  shutdown = { status: "ok" };
});
afterAll(async () => {
  await stand.stop();
});

const fail = (): void => {
  shutdown = { status: "failed", reason: "the process is stopping" };
};
const text = { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" };

test.each([
  ["/healthz", "ok"],
  ["/livez", "ok"],
  ["/readyz", "ok"],
  ["/livez?verbose", "[+]ping ok\nlivez check passed\n"],
  ["/healthz?verbose=false", "[+]ping ok\nhealthz check passed\n"],
  ["/readyz?verbose", "[+]ping ok\n[+]shutdown ok\nreadyz check passed\n"],
  [
    "/readyz?verbose&exclude=ping&exclude=shutdown",
    "[+]ping excluded: ok\n[+]shutdown excluded: ok\nreadyz check passed\n",
  ],
  [
    "/livez?verbose&exclude=nothing&exclude=none",
    '[+]ping ok\nwarn: some health checks cannot be excluded: no matches for "nothing","none"\nlivez check passed\n',
  ],
  ["/readyz/ping", "ok"],
  ["/readyz/shutdown", "ok"],
])("%s: 200", async (path, body) => {
  expect(await stand.get(path)).toMatchObject({ code: 200, body, headers: text });
});

test.each([
  ["/readyz", "[+]ping ok\n[-]shutdown failed: reason withheld\nreadyz check failed\n"],
  ["/readyz/shutdown", "internal server error: the process is stopping\n"],
])("%s of a failing check: 500", async (path, body) => {
  fail();
  expect(await stand.get(path)).toMatchObject({ code: 500, body, headers: text });
});

test("the reason that the answer withholds is in the log", async () => {
  fail();
  await stand.get("/readyz");
  expect(stand.lines.find(({ msg }) => msg === "Probe failed")).toMatchObject({
    probe: "readyz",
    failures: [{ name: "shutdown", reason: "the process is stopping" }],
  });
});

test("a failing check that is excluded fails nothing", async () => {
  fail();
  expect((await stand.get("/readyz?exclude=shutdown")).code).toBe(200);
});

test("a readiness check is none of liveness, and the API goes on while it fails", async () => {
  fail();
  expect((await stand.get("/livez")).code).toBe(200);
  expect((await stand.get("/livez/shutdown")).code).toBe(404);
  expect((await stand.get("/apis")).code).toBe(200);
});
