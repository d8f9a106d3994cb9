import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ApiStand, base, statusBody } from "./api-stand.ts";

let stand: ApiStand;
beforeAll(async () => {
  stand = await ApiStand.start();
});
afterAll(async () => {
  await stand.stop();
});

const group = "external.metrics.k8s.io";
const version = { groupVersion: `${group}/v1beta1`, version: "v1beta1" };
const groupDocument = { name: group, versions: [version], preferredVersion: version };
const groupList = `${JSON.stringify({ kind: "APIGroupList", apiVersion: "v1", groups: [groupDocument] })}\n`;
const resourceList =
  '{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"external.metrics.k8s.io/v1beta1",' +
  '"resources":[{"name":"externalmetrics","singularName":"","namespaced":true,' +
  '"kind":"ExternalMetricValueList","verbs":["get"]}]}\n';

const aggregated = (form: string): string =>
  `{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/${form}","metadata":{},` +
  '"items":[{"metadata":{"name":"external.metrics.k8s.io","creationTimestamp":null},' +
  '"versions":[{"version":"v1beta1","freshness":"Current",' +
  '"resources":[{"resource":"externalmetrics",' +
  '"responseKind":{"group":"external.metrics.k8s.io","version":"v1beta1","kind":"ExternalMetricValueList"},' +
  '"scope":"Namespaced","singularResource":"","verbs":["get"]}]}]}]}';

const clause = (form: string): string =>
  `application/json;g=apidiscovery.k8s.io;v=${form};as=APIGroupDiscoveryList`;
const etagOf = (form: string): string =>
  `"${createHash("sha512").update(aggregated(form)).digest("hex").toUpperCase()}"`;

describe("/apis answers the form that the first usable Accept clause names", () => {
  test.each([
    ["kube-aggregator's own header", `${clause("v2")},${clause("v2beta1")}`, "v2"],
    ["v2beta1 alone", clause("v2beta1"), "v2beta1"],
    ["an unknown version is skipped", `${clause("v3")},${clause("v2beta1")}`, "v2beta1"],
    ["quality before position", `${clause("v2")};q=0.5,${clause("v2beta1")}`, "v2beta1"],
    ["spaces after semicolons", clause("v2").replaceAll(";", "; "), "v2"],
  ])("%s", async (_name, accept, form) => {
    const reply = await stand.get("/apis", { accept });
    expect(reply.code).toBe(200);
    expect(reply.body).toBe(`${aggregated(form)}\n`);
    expect(reply.headers).toMatchObject({
      "content-type": clause(form),
      etag: etagOf(form),
      vary: "Accept",
      "cache-control": "public",
    });
  });

  test.each([
    ["no Accept", undefined],
    ["anything", "*/*"],
    ["plain JSON", "application/json"],
    ["JSON before v2", `application/json,${clause("v2")}`],
    ["an unknown transformation, then JSON", "application/json;as=Other,application/json"],
  ])("the group list for %s", async (_name, accept) => {
    const reply = await stand.get("/apis", accept === undefined ? {} : { accept });
    expect(reply).toMatchObject({ code: 200, body: groupList });
    expect(reply.headers).toMatchObject({
      "content-type": "application/json",
      "cache-control": "no-cache, private",
    });
    expect(reply.headers["etag"]).toBeUndefined();
  });

  test("406 when nothing is usable", async () => {
    const reply = await stand.get("/apis", { accept: "text/html" });
    expect(reply.code).toBe(406);
  });

  test("the same ETag is answered with 304 and nothing else", async () => {
    const headers = { accept: clause("v2"), "if-none-match": etagOf("v2") };
    const reply = await stand.get("/apis", headers);
    expect(reply).toMatchObject({ code: 304, body: "" });
    expect(reply.headers["etag"]).toBe(etagOf("v2"));
    expect(reply.headers["content-length"]).toBeUndefined();
  });

  test.each([
    ["the other form's", etagOf("v2beta1")],
    ["a weak one", `W/${etagOf("v2")}`],
    ["in lower case", etagOf("v2").toLowerCase()],
    ["an asterisk", "*"],
  ])("an ETag that differs is answered in full: %s", async (_name, etag) => {
    const reply = await stand.get("/apis", { accept: clause("v2"), "if-none-match": etag });
    expect(reply.code).toBe(200);
  });
});

describe("documents", () => {
  test.each([
    [base, resourceList],
    [`${base}/`, resourceList],
    [
      `/apis/${group}`,
      `${JSON.stringify({ kind: "APIGroup", apiVersion: "v1", ...groupDocument })}\n`,
    ],
    [
      "/version",
      '{"major":"1","minor":"2","gitVersion":"v1.2.3","gitCommit":"","gitTreeState":"","buildDate":"","goVersion":"n/a","compiler":"n/a","platform":"linux/amd64"}\n',
    ],
    [
      "/",
      '{"paths":["/apis","/apis/external.metrics.k8s.io","/apis/external.metrics.k8s.io/v1beta1","/healthz","/livez","/readyz","/version"]}\n',
    ],
  ])("%s", async (path, body) => {
    const reply = await stand.get(path);
    expect(reply).toMatchObject({ code: 200, body });
    expect(reply.headers).toMatchObject({
      "content-type": "application/json",
      "cache-control": "no-cache, private",
    });
  });

  test("the resource list is the same with the configured provider failing", async () => {
    stand.provider.instead = () => {
      throw new Error("down");
    };
    expect((await stand.get(base)).body).toBe(resourceList);
    stand.provider.instead = undefined;
  });

  test("YAML when asked for", async () => {
    const reply = await stand.get(base, { accept: "application/yaml" });
    expect(reply.headers["content-type"]).toBe("application/yaml");
    expect(reply.body).toBe(
      [
        "apiVersion: v1",
        "groupVersion: external.metrics.k8s.io/v1beta1",
        "kind: APIResourceList",
        "resources:",
        "  - kind: ExternalMetricValueList",
        "    name: externalmetrics",
        "    namespaced: true",
        '    singularName: ""',
        "    verbs:",
        "      - get",
        "",
      ].join("\n"),
    );
  });

  test("a HEAD has the headers of the GET and no body", async () => {
    const reply = await stand.ask({ method: "HEAD", path: base });
    expect(reply).toMatchObject({ code: 200, body: "" });
    expect(reply.headers["content-length"]).toBe(String(resourceList.length));
  });

  test.each([
    "/openapi/v2",
    "/openapi/v3",
    "/api",
    "/api/v1",
    "/metrics",
    "/apis/other",
    "/swagger.json",
  ])("%s is not served", async (path) => {
    const message = "the server could not find the requested resource";
    expect(await stand.get(path)).toMatchObject({
      code: 404,
      body: statusBody(404, "NotFound", message, {}),
    });
  });
});
