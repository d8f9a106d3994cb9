import { Agent } from "node:https";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { ApiStand, base, statusBody } from "./api-stand.ts";

let stand: ApiStand;
beforeAll(async () => {
  stand = await ApiStand.start();
});
afterEach(() => {
  stand.provider.instead = undefined;
  stand.provider.requests.length = 0;
  stand.authorizer.asked.length = 0;
});
afterAll(async () => {
  await stand.stop();
});

const listOf = (...items: readonly string[]): string =>
  `{"kind":"ExternalMetricValueList","apiVersion":"external.metrics.k8s.io/v1beta1","metadata":{},"items":[${items.join(",")}]}\n`;
const jobs =
  '{"metricName":"queue_depth","metricLabels":{"queue":"jobs"},"timestamp":"2025-01-01T00:00:00Z","window":60,"value":"1500m"}';
const mail =
  '{"metricName":"queue_depth","metricLabels":{"queue":"mail","tier":"a"},"timestamp":"2025-01-01T00:00:00Z","value":"42"}';
const path = `${base}/namespaces/default/queue_depth`;
const withSelector = (selector: string): string =>
  `${path}?labelSelector=${encodeURIComponent(selector)}`;

describe("a read as the HPA controller sends it", () => {
  const agent = "kube-controller-manager/v0.0.0 (linux/amd64) kubernetes/$Format";
  const headers = {
    "user-agent": `${agent}/system:serviceaccount:kube-system:horizontal-pod-autoscaler`,
    accept: "application/vnd.kubernetes.protobuf, */*",
    "accept-encoding": "gzip",
    "audit-id": "57e27bcb-30ef-42f2-bf74-98cfe180a459",
    "x-forwarded-for": "127.0.0.1",
  };

  test("with a selector: its values, as JSON, neither compressed nor indented", async () => {
    const selector =
      "labelSelector=%21old%2Cqueue%3Djobs%2Cregion+notin+%28a%2Cb%29%2Ctier+notin+%28a%2Cb%29";
    const reply = await stand.get(`${path}?${selector}`, headers);
    expect(reply.body).toBe(listOf(jobs));
    const { date, ...rest } = reply.headers;
    expect(date).toBeDefined();
    expect(rest).toEqual({
      "cache-control": "no-cache, private",
      "content-type": "application/json",
      "content-length": String(reply.body.length),
      "audit-id": "57e27bcb-30ef-42f2-bf74-98cfe180a459",
      connection: "close",
    });
    expect(stand.provider.requests).toEqual([
      {
        namespace: "default",
        metricName: "queue_depth",
        rawSelector: "!old,queue=jobs,region notin (a,b),tier notin (a,b)",
        selector: {
          requirements: [
            { key: "old", operator: "DoesNotExist", values: [] },
            { key: "queue", operator: "Equals", values: ["jobs"] },
            { key: "region", operator: "NotIn", values: ["a", "b"] },
            { key: "tier", operator: "NotIn", values: ["a", "b"] },
          ],
        },
      },
    ]);
  });

  test("without a selector there is no query, and everything is meant", async () => {
    expect((await stand.get(path, headers)).body).toBe(listOf(jobs, mail));
  });

  test("is authorized as list of the metric, its selector included", async () => {
    await stand.get(withSelector("queue=jobs"), headers);
    expect(stand.authorizer.asked).toEqual([
      {
        user: "hpa",
        attributes: {
          kind: "Resource",
          verb: "list",
          group: "external.metrics.k8s.io",
          version: "v1beta1",
          namespace: "default",
          resource: "queue_depth",
          name: "",
          subresource: "",
          labelSelector: {
            requirements: [{ key: "queue", operator: "Equals", values: ["jobs"] }],
          },
        },
      },
    ]);
  });

  test("many reads share one connection", async () => {
    const keepAlive = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let count = 0; count < 5; count += 1) {
      const reply = await stand.ask({ path, agent: keepAlive });
      expect(reply.headers["connection"]).toBe("keep-alive");
    }
    expect(Object.values(keepAlive.freeSockets).flat()).toHaveLength(1);
    keepAlive.destroy();
  });
});

describe("names", () => {
  const long = "m".repeat(200);
  test.each([
    ["lower-cased by client-go", "orders", "Orders", "7"],
    ["upper case as kubectl keeps it", "ORDERS", "Orders", "7"],
    ["every legal sign, encoded", "a%7Cb.c-d_e%3Af", "a|b.c-d_e:f", "1"],
    ["every legal sign, bare", "a|b.c-d_e:f", "a|b.c-d_e:f", "1"],
    ["longer than a label", long, long, "2"],
    ["a trailing slash", "orders/", "Orders", "7"],
  ])("%s", async (_name, segment, metricName, value) => {
    const item = `{"metricName":"${metricName}","metricLabels":{},"timestamp":"2025-01-01T00:00:00Z","value":"${value}"}`;
    const reply = await stand.get(`${base}/namespaces/default/${segment}`);
    expect(reply).toMatchObject({ code: 200, body: listOf(item) });
  });

  test("are decoded exactly once", async () => {
    const reply = await stand.get(`${base}/namespaces/default/a%257Cb`);
    expect(reply.code).toBe(404);
    expect(stand.provider.requests[0]?.metricName).toBe("a%7Cb");
  });

  test("an encoded slash separates segments, as behind kube-apiserver", async () => {
    const reply = await stand.get(`${base}/namespaces/default/queue%2Fdepth`);
    const message = "the server could not find the requested resource";
    expect(reply).toMatchObject({ code: 404, body: statusBody(404, "NotFound", message, {}) });
    expect(stand.authorizer.asked[0]?.attributes).toMatchObject({
      verb: "get",
      resource: "queue",
      name: "depth",
    });
    expect(stand.provider.requests).toEqual([]);
  });

  test.each([
    `${base}/namespaces/default/externalmetrics`,
    `${base}/namespaces/default/ExternalMetrics`,
    `${base}/namespaces/default/status`,
    `${base}/namespaces/default/finalize`,
    `${base}/namespaces/default/queue_depth/x`,
    `${base}/namespaces/default/queue_depth/x/status`,
    `${base}/namespaces/default`,
    `${base}/namespaces//queue_depth`,
    `${base}/namespaces/default//`,
    `${base}/queue_depth`,
    `${base}/watch/namespaces/default/queue_depth`,
    `${base}/proxy/namespaces/default/queue_depth`,
    "/apis/external.metrics.k8s.io/v1/namespaces/default/queue_depth",
    "/apis/custom.metrics.k8s.io/v1beta1/namespaces/default/queue_depth",
    `/${base}/namespaces/default/queue_depth/..`,
  ])("%s is none", async (target) => {
    const message = "the server could not find the requested resource";
    expect(await stand.get(target)).toMatchObject({
      code: 404,
      body: statusBody(404, "NotFound", message, {}),
    });
    expect(stand.provider.requests).toEqual([]);
  });

  test("an unknown metric says so in the provider's words", async () => {
    const message = "the server could not find the metric nothing for namespace default";
    expect(await stand.get(`${base}/namespaces/default/nothing`)).toMatchObject({
      code: 404,
      body: statusBody(404, "NotFound", message),
    });
  });
});

describe("selectors", () => {
  test.each([
    ["", [jobs, mail]],
    ["queue in (jobs,mail)", [jobs, mail]],
    ["queue==mail", [mail]],
    ["tier", [mail]],
    ["!tier", [jobs]],
    ["tier!=a", [jobs]],
    ["queue=nothing", []],
  ])("%j", async (selector, items) => {
    const reply = await stand.get(withSelector(selector));
    expect(reply).toMatchObject({ code: 200, body: listOf(...items) });
  });

  test("the first of repeated parameters counts, unknown ones are ignored", async () => {
    const query = "labelSelector=tier&labelSelector=queue%3Djobs&limit=5&timeout=3s&x[y]=z";
    expect((await stand.get(`${path}?${query}`)).body).toBe(listOf(mail));
  });

  test.each([
    ["a==b==c", "found '==', expected: ',' or 'end of string'"],
    ["a in b", "unable to parse requirement: found 'b' expected: '('"],
    ["a x b", "unable to parse requirement: found 'x', expected: in, notin, =, ==, !=, gt, lt"],
    ["a,", "found '', expected: identifier after ','"],
    [")", "found ')', expected: !, identifier, or 'end of string'"],
  ])("%j is malformed", async (selector, message) => {
    expect(await stand.get(withSelector(selector))).toMatchObject({
      code: 400,
      body: statusBody(400, "BadRequest", message),
    });
    expect(stand.provider.requests).toEqual([]);
  });

  test.each([
    ["metadata.name=x", 200, ""],
    ["metadata.namespace!=x,metadata.name==y", 200, ""],
    ["", 200, ""],
    ["spec.x=1", 400, "field label not supported: spec.x"],
    ["x", 400, "invalid selector: 'x'; can't understand 'x'"],
  ])("field selector %j", async (fieldSelector, code, message) => {
    const reply = await stand.get(`${path}?fieldSelector=${encodeURIComponent(fieldSelector)}`);
    expect(reply.code).toBe(code);
    if (code !== 200) expect(reply.body).toBe(statusBody(code, "BadRequest", message));
  });
});

describe("representations", () => {
  const table = "application/json;as=Table;v=v1;g=meta.k8s.io";
  test.each([
    ["kubectl get --raw", "application/json, */*"],
    ["kubectl get", `${table},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json`],
    ["any application type", "application/*"],
    ["charset", "application/json; charset=utf-8"],
    ["quality order", "application/yaml;q=0.1, application/json;q=0.9"],
  ])("JSON for %s", async (_name, accept) => {
    const reply = await stand.get(withSelector("queue=jobs"), { accept });
    expect(reply).toMatchObject({ code: 200, body: listOf(jobs) });
    expect(reply.headers["content-type"]).toBe("application/json");
  });

  test("YAML, sorted, with everything quoted that is not what it looks like", async () => {
    const reply = await stand.get(path, { accept: "application/yaml" });
    expect(reply.headers["content-type"]).toBe("application/yaml");
    expect(reply.body).toBe(
      [
        "apiVersion: external.metrics.k8s.io/v1beta1",
        "items:",
        "  - metricLabels:",
        "      queue: jobs",
        "    metricName: queue_depth",
        '    timestamp: "2025-01-01T00:00:00Z"',
        "    value: 1500m",
        "    window: 60",
        "  - metricLabels:",
        "      queue: mail",
        "      tier: a",
        "    metricName: queue_depth",
        '    timestamp: "2025-01-01T00:00:00Z"',
        '    value: "42"',
        "kind: ExternalMetricValueList",
        "metadata: {}",
        "",
      ].join("\n"),
    );
  });

  const pretty = `${JSON.stringify(JSON.parse(listOf(jobs)), null, 2)}\n`;
  test.each([
    ["pretty=true", "&pretty=true", {}, pretty],
    ["pretty=1", "&pretty=1", {}, pretty],
    ["pretty=yes is not true", "&pretty=yes", {}, listOf(jobs)],
    ["curl", "", { "user-agent": "curl/8.5.0" }, pretty],
    ["a browser", "", { "user-agent": "Mozilla/5.0 (X11)" }, pretty],
    ["curl with pretty=false", "&pretty=false", { "user-agent": "curl/8" }, listOf(jobs)],
    ["an Accept parameter", "", { accept: "application/json;pretty=1" }, pretty],
  ])("indentation: %s", async (_name, query, headers, body) => {
    expect((await stand.get(`${withSelector("queue=jobs")}${query}`, headers)).body).toBe(body);
  });

  test.each(["text/html", "application/vnd.kubernetes.protobuf", table, "application/json;q=0"])(
    "406 for %s",
    async (accept) => {
      const message =
        "only the following media types are accepted: application/json, application/yaml";
      expect(await stand.get(path, { accept })).toMatchObject({
        code: 406,
        body: statusBody(406, "NotAcceptable", message, {}),
      });
    },
  );

  test("a HEAD reads once, is authorized as list, and has no body", async () => {
    const reply = await stand.ask({ method: "HEAD", path });
    expect(reply).toMatchObject({ code: 200, body: "" });
    expect(reply.headers["content-length"]).toBe(String(listOf(jobs, mail).length));
    expect(stand.provider.requests).toHaveLength(1);
    expect(stand.authorizer.asked[0]?.attributes.verb).toBe("list");
  });
});

describe("metrics of the server itself", () => {
  test("count reads by verb and code, never by the metric's name, and show the age served", async () => {
    await stand.get(`${base}/namespaces/default/never-heard-of`);
    const text = await stand.registry.metrics();
    expect(text).toContain(
      'apiserver_request_total{verb="LIST",resource="externalmetrics",code="404"}',
    );
    expect(text).toMatch(
      /apiserver_request_duration_seconds_count\{verb="LIST",resource="externalmetrics"\} [0-9]+/u,
    );
    expect(text).toMatch(/leadline_metric_freshness_seconds_bucket\{le="\+Inf"\} [1-9]/u);
    expect(text).not.toContain("never-heard-of");
  });
});
