import { Queue } from "bullmq";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { applyApiService, metricPath, untilAvailable } from "./api-service.ts";
import type { Cluster } from "./cluster.ts";
import { openCluster } from "./cluster.ts";
import type { ApiClient, ApiResponse } from "./control-plane/api-client.ts";
import { freePort } from "./control-plane/free-port.ts";
import type { Credentials } from "./control-plane/kubeconfig.ts";
import { StopStack } from "./control-plane/stop-stack.ts";
import { waitFor } from "./control-plane/wait-for.ts";
import type { Leadline } from "./leadline.ts";
import { startLeadline } from "./leadline.ts";
import { RedisServer } from "./redis.ts";

const namespace = "invoices";
const metric = "open-invoices";
const unknownMetric = "no-such-metric";
const path = metricPath(namespace, metric);

const access = `
apiVersion: v1
kind: Namespace
metadata: { name: ${namespace} }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: reader, namespace: ${namespace} }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: outsider, namespace: ${namespace} }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: reader, namespace: ${namespace} }
rules: [{ apiGroups: [external.metrics.k8s.io], resources: [${metric}, ${unknownMetric}], verbs: [list] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: reader, namespace: ${namespace} }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader }
subjects: [{ kind: ServiceAccount, name: reader, namespace: ${namespace} }]
`;

const stack = new StopStack();
let cluster: Cluster;
let leadline: Leadline;
let reader: Credentials;
let outsider: Credentials;

beforeAll(async () => {
  cluster = stack.add(await openCluster(inject("controlPlane")));
  const redis = await RedisServer.start(cluster.directory);
  stack.defer(() => redis.stop());
  const queue = new Queue(metric, { connection: { host: "127.0.0.1", port: redis.port } });
  await queue.addBulk(Array.from({ length: 3 }, () => ({ name: "job", data: {} })));
  await queue.close();
  const securePort = await freePort();
  await applyApiService(cluster, securePort);
  await cluster.kubectl.run(["apply", "-f", "-"], access);
  reader = { token: await cluster.tokenOf(namespace, "reader") };
  outsider = { token: await cluster.tokenOf(namespace, "outsider") };
  const configuration = `
connections: [{ name: jobs, redis: { url: "${redis.url}" } }]
signals:
  - metadata: { namespace: ${namespace}, name: ${metric} }
    spec:
      inputs: [{ name: jobs, bullmq: { connectionRef: { name: jobs }, queue: ${metric} } }]
      value: { expression: "jobs.backlog" }
`;
  leadline = stack.add(
    await startLeadline(cluster, { name: "leadline", configuration, securePort }),
  );
  await untilAvailable(cluster);
}, 120_000);

afterAll(async () => {
  await stack.stop();
});

type Way = "through kube-apiserver" | "straight to Leadline";
const ways: readonly Way[] = ["through kube-apiserver", "straight to Leadline"];

function clientOf(way: Way, credentials: Credentials | undefined): ApiClient {
  if (way === "through kube-apiserver") return cluster.clientOf(credentials);
  return stack.add(leadline.clientOf(credentials));
}

interface Verdict {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly body: unknown;
}

function verdictOf(response: ApiResponse): Verdict {
  return {
    status: response.status,
    contentType: response.headers["content-type"],
    body: JSON.parse(response.text) as unknown,
  };
}

function refusal(code: number, reason: string, message: string, details?: object): Verdict {
  const status = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure" };
  return {
    status: code,
    contentType: "application/json",
    body: { ...status, message, reason, ...(details === undefined ? {} : { details }), code },
  };
}

function forbidden(user: string, resource = metric): Verdict {
  const group = "external.metrics.k8s.io";
  return refusal(
    403,
    "Forbidden",
    `${resource}.${group} is forbidden: User "${user}" cannot list resource "${resource}" ` +
      `in API group "${group}" in the namespace "${namespace}"`,
    { group, kind: resource },
  );
}

const unauthorized = refusal(401, "Unauthorized", "Unauthorized");

const value = {
  status: 200,
  contentType: "application/json",
  body: {
    kind: "ExternalMetricValueList",
    apiVersion: "external.metrics.k8s.io/v1beta1",
    metadata: {},
    items: [
      {
        metricName: metric,
        metricLabels: {},
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as unknown,
        value: "3",
      },
    ],
  },
};

async function read(client: ApiClient, headers = {}): Promise<Verdict> {
  return verdictOf(await client.send({ path, headers }));
}

describe.each(ways)("%s", (way) => {
  test("a ServiceAccount that RBAC alone lets in reads the value", async () => {
    expect(await read(clientOf(way, reader))).toEqual(value);
  });

  test("a ServiceAccount without RBAC gets 403", async () => {
    expect(await read(clientOf(way, outsider))).toEqual(
      forbidden(`system:serviceaccount:${namespace}:outsider`),
    );
  });

  test("a user of the client authority without RBAC gets 403", async () => {
    const { stranger } = cluster.address.certificates;
    expect(await read(clientOf(way, stranger))).toEqual(forbidden("stranger"));
  });

  test("nobody in particular gets 403 as system:anonymous", async () => {
    expect(await read(clientOf(way, undefined))).toEqual(forbidden("system:anonymous"));
  });

  test("a token that is none gets 401", async () => {
    expect(await read(clientOf(way, { token: "not-a-token" }))).toEqual(unauthorized);
  });

  test("an unknown metric is 404 to who may read it, 403 to others", async () => {
    const request = { path: metricPath(namespace, unknownMetric) };
    expect(verdictOf(await clientOf(way, reader).send(request))).toEqual(
      refusal(
        404,
        "NotFound",
        `the server could not find the metric ${unknownMetric} for namespace ${namespace}`,
      ),
    );
    expect(verdictOf(await clientOf(way, outsider).send(request))).toEqual(
      forbidden(`system:serviceaccount:${namespace}:outsider`, unknownMetric),
    );
  });
});

describe("identity headers of a front proxy, straight to Leadline", () => {
  const forged = {
    "x-remote-user": "e2e-admin",
    "x-remote-group": ["system:masters", "system:authenticated"],
  };
  const asReader = {
    "x-remote-user": `system:serviceaccount:${namespace}:reader`,
    "x-remote-group": ["system:serviceaccounts", `system:serviceaccounts:${namespace}`],
  };
  const straight = (credentials: Credentials | undefined): ApiClient =>
    clientOf("straight to Leadline", credentials);

  test("count when they come with the front proxy's certificate", async () => {
    const { frontProxy } = cluster.address.certificates;
    expect(await read(straight(frontProxy), asReader)).toEqual(value);
    expect(await read(straight(frontProxy), { "x-remote-user": "somebody" })).toEqual(
      forbidden("somebody"),
    );
  });

  test("count for nothing without a certificate", async () => {
    expect(await read(straight(undefined), forged)).toEqual(forbidden("system:anonymous"));
  });

  test("count for nothing beside a token", async () => {
    expect(await read(straight(outsider), forged)).toEqual(
      forbidden(`system:serviceaccount:${namespace}:outsider`),
    );
  });

  test("count for nothing beside a user's certificate", async () => {
    const { stranger } = cluster.address.certificates;
    expect(await read(straight(stranger), forged)).toEqual(forbidden("stranger"));
  });

  test("are refused with a front-proxy certificate whose name is not allowed", async () => {
    const { unnamedFrontProxy } = cluster.address.certificates;
    expect(await read(straight(unnamedFrontProxy), forged)).toEqual(unauthorized);
  });

  test("are refused with a certificate of an authority that nobody trusts", async () => {
    const { untrustedFrontProxy } = cluster.address.certificates;
    expect(await read(straight(untrustedFrontProxy), forged)).toEqual(unauthorized);
  });
});

describe("Leadline's own ServiceAccount", () => {
  test("may do what delegated authentication and authorization need, and nothing else", async () => {
    const may = async (...args: string[]): Promise<string> => {
      const as = "--as=system:serviceaccount:leadline:leadline";
      return (await cluster.kubectl.try(["auth", "can-i", ...args, as])).stdout.trim();
    };
    const configMap = "configmaps/extension-apiserver-authentication";
    expect({
      tokenReviews: await may("create", "tokenreviews.authentication.k8s.io"),
      accessReviews: await may("create", "subjectaccessreviews.authorization.k8s.io"),
      frontProxyCa: await may("get", configMap, "-n", "kube-system"),
      otherConfigMaps: await may("get", "configmaps", "-n", "kube-system"),
      secrets: await may("get", "secrets", "-A"),
      metrics: await may("list", "open-invoices.external.metrics.k8s.io", "-n", namespace),
      everything: await may("*", "*", "-A"),
    }).toEqual({
      tokenReviews: "yes",
      accessReviews: "yes",
      frontProxyCa: "yes",
      otherConfigMaps: "no",
      secrets: "no",
      metrics: "no",
      everything: "no",
    });
  });
});

describe("a binding that goes", () => {
  test("turns its ServiceAccount's reads to 403, both ways", async () => {
    const clients = ways.map((way) => ({ way, client: clientOf(way, reader) }));
    for (const { client } of clients) expect(await read(client)).toEqual(value);
    await cluster.kubectl.run(["delete", "rolebinding", "reader", "-n", namespace]);
    for (const { way, client } of clients) {
      const verdict = await waitFor(
        `a read ${way} is refused`,
        async () => {
          const seen = await read(client);
          return { met: seen.status !== 200, seen };
        },
        // Leadline remembers what it was told for at most ten seconds.
        15_000,
      );
      expect(verdict).toEqual(forbidden(`system:serviceaccount:${namespace}:reader`));
    }
  });
});
