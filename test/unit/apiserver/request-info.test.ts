import { describe, expect, test } from "vitest";
import { RequestInfoResolver } from "../../../src/apiserver/request-info.ts";

const resolver = new RequestInfoResolver();
const base = "/apis/external.metrics.k8s.io/v1beta1";

describe("non-resource requests keep their path and method", () => {
  test.each([
    ["GET", "/", "/", "get"],
    ["GET", "/apis", "/apis", "get"],
    ["GET", "/apis/g", "/apis/g", "get"],
    ["POST", "/apis/g/v?x=y", "/apis/g/v", "post"],
    ["HEAD", "/apis/g/v/", "/apis/g/v/", "head"],
    ["GET", "/api/v1/pods/x/y", "/api/v1/pods/x/y", "get"],
    ["OPTIONS", "/%61pis", "/apis", "options"],
    ["GET", "//", "//", "get"],
  ])("%s %s", (method, target, path, verb) => {
    expect(resolver.resolve(method, target)?.attributes).toEqual({
      kind: "NonResource",
      path,
      verb,
    });
  });
});

describe("resource requests are read as kube-apiserver reads them", () => {
  const group = "external.metrics.k8s.io";
  const resource = { kind: "Resource", group, version: "v1beta1", name: "", subresource: "" };
  test.each([
    ["GET", "namespaces/ns/m", { verb: "list", namespace: "ns", resource: "m" }],
    ["HEAD", "namespaces/ns/m", { verb: "list", namespace: "ns", resource: "m" }],
    ["GET", "namespaces/ns/m/", { verb: "list", namespace: "ns", resource: "m" }],
    ["GET", "namespaces/ns/m?watch=true", { verb: "watch", namespace: "ns", resource: "m" }],
    ["DELETE", "namespaces/ns/m", { verb: "deletecollection", namespace: "ns", resource: "m" }],
    ["DELETE", "namespaces/ns/m/n", { verb: "delete", namespace: "ns", resource: "m", name: "n" }],
    ["GET", "namespaces/ns/m/n", { verb: "get", namespace: "ns", resource: "m", name: "n" }],
    [
      "GET",
      "namespaces/ns/m/n/s/t",
      { verb: "get", namespace: "ns", resource: "m", name: "n", subresource: "s" },
    ],
    ["GET", "m", { verb: "list", namespace: "", resource: "m" }],
    ["GET", "namespaces", { verb: "list", namespace: "", resource: "namespaces" }],
    ["GET", "namespaces/ns", { verb: "get", namespace: "ns", resource: "namespaces", name: "ns" }],
    [
      "GET",
      "namespaces/ns/status",
      { verb: "get", namespace: "ns", resource: "namespaces", name: "ns", subresource: "status" },
    ],
    [
      "GET",
      "namespaces/ns/finalize/x",
      { verb: "get", namespace: "ns", resource: "namespaces", name: "ns", subresource: "finalize" },
    ],
    ["GET", "watch/namespaces/ns/m", { verb: "watch", namespace: "ns", resource: "m" }],
    ["POST", "watch/m", { verb: "watch", namespace: "", resource: "m" }],
    [
      "GET",
      "proxy/namespaces/ns/m/n/s",
      { verb: "proxy", namespace: "ns", resource: "m", name: "n", subresource: "" },
    ],
    ["GET", "namespaces/ns/namespaces", { verb: "list", namespace: "ns", resource: "namespaces" }],
    ["TRACE", "namespaces/ns/m", { verb: "", namespace: "ns", resource: "m" }],
    ["GET", "namespaces/ns/a%2Fb", { verb: "get", namespace: "ns", resource: "a", name: "b" }],
  ])("%s %s", (method, rest, attributes) => {
    expect(resolver.resolve(method, `${base}/${rest}`)?.attributes).toEqual({
      ...resource,
      ...attributes,
    });
  });
});

test.each(["namespaces/ns/m", "namespaces/ns/M%7Cx", "namespaces/ns/watch"])(
  "%s is a metric's path",
  (rest) => {
    expect(resolver.resolve("GET", `${base}/${rest}`)?.metric).toEqual({
      namespace: "ns",
      name: decodeURIComponent(rest.split("/")[2] ?? ""),
    });
  },
);

test.each(["*", "example.com:443", "https://host/apis", "", "/%", "/%zz", "/%ff"])(
  "a target that is no path, or does not decode, is none: %j",
  (target) => {
    expect(resolver.resolve("GET", target)).toBeUndefined();
  },
);

test("a selector that does not parse is not authorized on", () => {
  const info = resolver.resolve("GET", `${base}/namespaces/ns/m?labelSelector=a%3D%3Db%3D`);
  expect(info?.attributes).not.toHaveProperty("labelSelector");
  expect(info?.query.selector.status).toBe("malformed");
});

test("a query remembered is the query read", () => {
  const target = `${base}/namespaces/ns/m?labelSelector=a%3Db+`;
  expect(resolver.resolve("GET", target)?.query).toBe(resolver.resolve("GET", target)?.query);
});
