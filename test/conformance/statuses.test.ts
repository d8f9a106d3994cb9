import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { statusFailure } from "../../src/model/status.ts";
import { ApiStand, base, statusBody } from "./api-stand.ts";

let stand: ApiStand;
const defaultRule: { current?: ApiStand["authorizer"]["rule"] } = {};
beforeAll(async () => {
  stand = await ApiStand.start({ budgetMs: 150 });
  defaultRule.current = stand.authorizer.rule;
});
afterEach(() => {
  stand.provider.instead = undefined;
  stand.authenticator.gate = undefined;
  stand.authorizer.rule = defaultRule.current!;
  stand.authorizer.asked.length = 0;
});
afterAll(async () => {
  await stand.stop();
});

const path = `${base}/namespaces/default/queue_depth`;
const failureHeaders = {
  "content-type": "application/json",
  "cache-control": "no-cache, private",
  "x-content-type-options": "nosniff",
};

describe("401", () => {
  test.each([path, base, "/apis", "/nonsense", "/readyz"])(
    "an unknown token gets nothing at %s",
    async (target) => {
      const reply = await stand.ask({ path: target, as: "stranger" });
      expect(reply).toMatchObject({
        code: 401,
        body: '{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Unauthorized","reason":"Unauthorized","code":401}\n',
        headers: failureHeaders,
      });
      expect(stand.authorizer.asked).toEqual([]);
    },
  );
});

describe("403", () => {
  const group = "external.metrics.k8s.io";
  const cannot = (user: string, verb: string, rest: string): string =>
    `User "${user}" cannot ${verb} ${rest}`;

  test.each([
    [
      "a read",
      path,
      "nobody",
      `queue_depth.${group} is forbidden: ${cannot("nobody", "list", `resource "queue_depth" in API group "${group}" in the namespace "default"`)}`,
      { group, kind: "queue_depth" },
    ],
    [
      "a read by nobody known",
      path,
      null,
      `queue_depth.${group} is forbidden: ${cannot("system:anonymous", "list", `resource "queue_depth" in API group "${group}" in the namespace "default"`)}`,
      { group, kind: "queue_depth" },
    ],
    [
      "a watch",
      `${path}?watch=1`,
      "nobody",
      `queue_depth.${group} is forbidden: ${cannot("nobody", "watch", `resource "queue_depth" in API group "${group}" in the namespace "default"`)}`,
      { group, kind: "queue_depth" },
    ],
    [
      "a named object",
      `${path}/one`,
      "nobody",
      `queue_depth.${group} "one" is forbidden: ${cannot("nobody", "get", `resource "queue_depth" in API group "${group}" in the namespace "default"`)}`,
      { name: "one", group, kind: "queue_depth" },
    ],
    [
      "a subresource",
      `${path}/one/scale`,
      "nobody",
      `queue_depth.${group} "one" is forbidden: ${cannot("nobody", "get", `resource "queue_depth/scale" in API group "${group}" in the namespace "default"`)}`,
      { name: "one", group, kind: "queue_depth" },
    ],
    [
      "outside a namespace",
      `${base}/queue_depth`,
      "nobody",
      `queue_depth.${group} is forbidden: ${cannot("nobody", "list", `resource "queue_depth" in API group "${group}" at the cluster scope`)}`,
      { group, kind: "queue_depth" },
    ],
    [
      "discovery",
      "/openapi/v2",
      "nobody",
      `forbidden: ${cannot("nobody", "get", 'path "/openapi/v2"')}`,
      {},
    ],
    [
      "a path that is not there",
      "/nonsense",
      "nobody",
      `forbidden: ${cannot("nobody", "get", 'path "/nonsense"')}`,
      {},
    ],
  ])("%s", async (_name, target, as, message, details) => {
    expect(await stand.ask({ path: target, as })).toMatchObject({
      code: 403,
      body: statusBody(403, "Forbidden", message, details as Record<string, string>),
      headers: failureHeaders,
    });
  });

  test("the authorizer's reason is appended", async () => {
    stand.authorizer.rule = () => ({ status: "denied", reason: "not today" });
    const { body } = await stand.get("/apis");
    const message = 'forbidden: User "hpa" cannot get path "/apis": not today';
    expect(body).toBe(statusBody(403, "Forbidden", message, {}));
  });

  test.each(["impersonate-user", "Impersonate-Group", "impersonate-extra-role"])(
    "%s is refused even to an administrator",
    async (header) => {
      const reply = await stand.ask({ path, as: "probe", headers: { [header]: "admin" } });
      const message = "impersonation is not supported: send the request through kube-apiserver";
      expect(reply).toMatchObject({ code: 403, body: statusBody(403, "Forbidden", message, {}) });
      expect(stand.authorizer.asked).toEqual([]);
    },
  );

  test.each(["/healthz", "/livez", "/readyz"])("%s needs no permission", async (target) => {
    expect(await stand.ask({ path: target, as: null })).toMatchObject({ code: 200, body: "ok" });
  });

  test("a single check needs permission", async () => {
    expect((await stand.ask({ path: "/readyz/ping", as: null })).code).toBe(403);
  });
});

describe("405", () => {
  const message = "the server does not allow this method on the requested resource";
  const notAllowed = statusBody(405, "MethodNotAllowed", message, {});

  test.each(["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])(
    "%s",
    async (method) => {
      for (const target of [path, base, "/apis", "/readyz"]) {
        const reply = await stand.ask({ method, path: target });
        expect(reply).toMatchObject({ code: 405, body: notAllowed, headers: failureHeaders });
        expect(reply.headers["allow"]).toBe("GET");
      }
    },
  );

  test.each([
    ["POST", "create"],
    ["PUT", "update"],
    ["PATCH", "patch"],
    ["DELETE", "deletecollection"],
    ["OPTIONS", ""],
  ])("%s is authorized as %j first", async (method, verb) => {
    await stand.ask({ method, path });
    expect(stand.authorizer.asked[0]?.attributes.verb).toBe(verb);
    expect((await stand.ask({ method, path, as: "nobody" })).code).toBe(403);
  });

  test.each(["watch=1", "watch=true", "watch", "watch=x"])(
    "a watch is authorized as one and refused: %s",
    async (query) => {
      const refusal = 'watch is not supported on resources of kind "*.external.metrics.k8s.io"';
      const reply = await stand.get(`${path}?${query}`);
      expect(reply).toMatchObject({
        code: 405,
        body: statusBody(405, "MethodNotAllowed", refusal, {}),
      });
      expect(stand.authorizer.asked[0]?.attributes.verb).toBe("watch");
    },
  );

  test.each(["watch=0", "watch=false", "watch=False"])("%s is a read", async (query) => {
    expect((await stand.get(`${path}?${query}`)).code).toBe(200);
    expect(stand.authorizer.asked[0]?.attributes.verb).toBe("list");
  });
});

describe("the provider's failures", () => {
  test("go out as they are", async () => {
    const message = "external metric queue_depth: input jobs: last sample 312s old (limit 120s)";
    stand.provider.instead = () => ({
      status: "failed",
      failure: statusFailure("ServiceUnavailable", message),
    });
    expect(await stand.get(path)).toMatchObject({
      code: 503,
      body: statusBody(503, "ServiceUnavailable", message),
      headers: failureHeaders,
    });
  });

  test("go out as YAML to who asks for YAML", async () => {
    stand.provider.instead = () => ({
      status: "failed",
      failure: statusFailure("ServiceUnavailable", "stale: no"),
    });
    const reply = await stand.get(path, { accept: "application/yaml" });
    expect(reply).toMatchObject({ code: 503, headers: { "content-type": "application/yaml" } });
    expect(reply.body).toBe(
      'apiVersion: v1\ncode: 503\nkind: Status\nmessage: "stale: no"\nmetadata: {}\nreason: ServiceUnavailable\nstatus: Failure\n',
    );
  });

  const internal = statusBody(
    500,
    "InternalError",
    "internal error: the reason is in the server's log",
  );

  test.each([
    [
      "thrown",
      () => {
        throw new Error("password=hunter2");
      },
    ],
    ["rejected", () => Promise.reject(new Error("password=hunter2"))],
  ])("%s: a 500 that tells nothing, and the server goes on", async (_name, instead) => {
    stand.provider.instead = instead;
    const reply = await stand.get(path);
    expect(reply).toMatchObject({ code: 500, body: internal, headers: failureHeaders });
    stand.provider.instead = undefined;
    expect((await stand.get(path)).code).toBe(200);
    expect(stand.lines.filter(({ msg }) => msg === "Provider failed")).toHaveLength(1);
  });

  test("values that cannot be written are a 500", async () => {
    const item = { metricName: "x", metricLabels: {}, timestampMs: Number.NaN, value: "1" };
    const found = { status: "found" as const, items: [item] };
    for (const instead of [() => found, () => Promise.resolve(found)]) {
      stand.provider.instead = instead;
      expect(await stand.get(path)).toMatchObject({ code: 500, body: internal });
    }
    stand.provider.instead = undefined;
    expect((await stand.get(path)).code).toBe(200);
  });

  test("an answer that does not come is a 504", async () => {
    stand.provider.instead = () => new Promise(() => undefined);
    expect(await stand.get(path)).toMatchObject({
      code: 504,
      body: statusBody(504, "Timeout", "no answer within 150 ms"),
    });
  });
});

describe("access control that fails lets nobody in", () => {
  const internal = statusBody(
    500,
    "InternalError",
    "internal error: the reason is in the server's log",
  );

  test("an access review that cannot be made is a 500", async () => {
    stand.authorizer.rule = () => ({ status: "error", reason: "connect ECONNREFUSED 10.0.0.1" });
    for (const target of [path, base])
      expect(await stand.get(target)).toMatchObject({ code: 500, body: internal });
  });

  test("an authorizer that throws is a 500", async () => {
    stand.authorizer.rule = () => {
      throw new Error("bug");
    };
    for (const target of [path, base])
      expect(await stand.get(target)).toMatchObject({ code: 500, body: internal });
  });

  test("an authenticator that never answers is a 504", async () => {
    stand.authenticator.gate = new Promise(() => undefined);
    for (const target of [path, base])
      expect(await stand.get(target)).toMatchObject({
        code: 504,
        body: statusBody(504, "Timeout", "no answer within 150 ms"),
      });
  });

  test("an authenticator that takes its time is waited for", async () => {
    stand.authenticator.gate = Promise.resolve();
    expect((await stand.get(path)).code).toBe(200);
    expect((await stand.get(base)).code).toBe(200);
  });
});

test("the Audit-Id is echoed on every answer", async () => {
  for (const target of [path, base, "/nonsense", "/readyz"])
    expect((await stand.get(target, { "audit-id": "a-1" })).headers["audit-id"]).toBe("a-1");
});

test("no answer ever had a header that breaks a client", () => {
  expect(stand.replies.length).toBeGreaterThan(60);
  for (const { headers } of stand.replies) {
    const names = Object.keys(headers);
    for (const name of [
      "location",
      "retry-after",
      "set-cookie",
      "x-powered-by",
      "content-encoding",
    ])
      expect(names).not.toContain(name);
    expect(headers["etag"] ?? '"').toMatch(/^"/u);
    expect(headers["cache-control"]).toBeDefined();
  }
});
