import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { apiServiceName, applyApiService, metricPath, untilAvailable } from "./api-service.ts";
import type { Cluster } from "./cluster.ts";
import { openCluster } from "./cluster.ts";
import { StopStack } from "./control-plane/stop-stack.ts";
import { freePort } from "./control-plane/free-port.ts";
import { example, exampleConfiguration } from "./example.ts";
import { startLeadline } from "./leadline.ts";

const stack = new StopStack();
let cluster: Cluster;

beforeAll(async () => {
  cluster = stack.add(await openCluster(inject("controlPlane")));
  const securePort = await freePort();
  await applyApiService(cluster, securePort);
  // A port where nobody listens: the API stands on no backend.
  const redisUrl = `redis://127.0.0.1:${await freePort()}/0`;
  const configuration = await exampleConfiguration(redisUrl);
  stack.add(await startLeadline(cluster, { name: "leadline", configuration, securePort }));
});

afterAll(async () => {
  await stack.stop();
});

describe("the aggregated API, while its only Redis is away", () => {
  test("becomes Available", async () => {
    expect(await untilAvailable(cluster)).toMatchObject({
      type: "Available",
      status: "True",
      reason: "Passed",
      message: "all checks passed",
    });
  });

  test("is listed by kubectl api-resources, without a warning", async () => {
    const result = await cluster.kubectl.try(["api-resources"]);
    expect({ code: result.code, stderr: result.stderr }).toEqual({ code: 0, stderr: "" });
    expect(result.stdout).toMatch(
      /^externalmetrics +external\.metrics\.k8s\.io\/v1beta1 +true +ExternalMetricValueList$/m,
    );
  });

  test("leaves kubectl get pods without a warning", async () => {
    const result = await cluster.kubectl.try(["get", "pods", "--namespace", "default"]);
    expect(result).toEqual({
      code: 0,
      stdout: "",
      stderr: "No resources found in default namespace.\n",
    });
  });

  test("lets a namespace be deleted, which needs the discovery of every group", async () => {
    await cluster.kubectl.run(["create", "namespace", "short-lived"]);
    await cluster.kubectl.run(["delete", "namespace", "short-lived", "--timeout=30s"]);
  });

  test("answers a read with 503 and the reason, and stays Available", async () => {
    const response = await cluster.admin.send({
      path: metricPath(example.namespace, example.metric),
    });
    expect(response.headers["content-type"]).toBe("application/json");
    expect(response.headers["retry-after"]).toBeUndefined();
    expect({ status: response.status, body: JSON.parse(response.text) as unknown }).toEqual({
      status: 503,
      body: {
        kind: "Status",
        apiVersion: "v1",
        metadata: {},
        status: "Failure",
        message: expect.stringMatching(/thumbnails.*jobs.*ECONNREFUSED/) as unknown,
        reason: "ServiceUnavailable",
        code: 503,
      },
    });
    const columns = "custom-columns=A:.status.conditions[?(@.type=='Available')].status";
    const get = ["get", "apiservice", apiServiceName, "--no-headers", "-o", columns];
    expect((await cluster.kubectl.run(get)).trim()).toBe("True");
  });
});
