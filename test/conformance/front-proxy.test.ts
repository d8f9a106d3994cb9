import { Agent } from "node:https";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createDelegatedAuthentication } from "../../src/apiserver/authentication.ts";
import { createDelegatedAuthorization } from "../../src/apiserver/authorization.ts";
import type { SubjectAccessReviewSpec } from "../../src/apiserver/subject-access-review-spec.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { makeCertificate, oids } from "../fakes/certificate-factory.ts";
import type { TestCertificate } from "../fakes/certificate-factory.ts";
import { recordingLogger } from "../fakes/recording-logger.ts";
import { ApiStand, base } from "./api-stand.ts";

/** What kube-apiserver sends along with a read of the HPA controller. */
const hpaHeaders = {
  "X-Remote-User": "system:serviceaccount:kube-system:horizontal-pod-autoscaler",
  "X-Remote-Group": "system:serviceaccounts",
  "X-Remote-Extra-Authentication.kubernetes.io%2fcredential-Id": "JTI=1",
};
const path = `${base}/namespaces/default/queue_depth?labelSelector=queue%3Djobs`;

let stand: ApiStand;
let issuer: TestCertificate;
let frontProxy: TestCertificate;
/** The front proxy's certificate with its intermediate. */
let cert: string;
const asked: SubjectAccessReviewSpec[] = [];

beforeAll(async () => {
  const root = await makeCertificate({ subject: [{ CN: ["root"] }], isAuthority: true });
  issuer = await makeCertificate({
    subject: [{ CN: ["issuer"] }],
    issuer: root,
    isAuthority: true,
  });
  const extendedKeyUsages = [oids.clientAuth];
  const subject = [{ CN: ["front-proxy-client"] }];
  frontProxy = await makeCertificate({ subject, issuer, extendedKeyUsages });
  cert = frontProxy.certificatePem + issuer.certificatePem;
  const config = {
    generation: 1,
    clientCaPem: "",
    requestHeader: {
      clientCaPem: root.certificatePem,
      allowedNames: ["front-proxy-client"],
      usernameHeaders: ["X-Remote-User"],
      uidHeaders: [],
      groupHeaders: ["X-Remote-Group"],
      extraHeaderPrefixes: ["X-Remote-Extra-"],
    },
  };
  const clock = systemClock;
  const reviewer = {
    review(spec: SubjectAccessReviewSpec) {
      asked.push(spec);
      const { resource } = spec.resourceAttributes ?? {};
      const isController = spec.user === hpaHeaders["X-Remote-User"] && resource === "*";
      const isTeam = spec.user === "team" && resource === "queue_depth";
      return Promise.resolve({ allowed: isController || isTeam });
    },
  };
  stand = await ApiStand.start({
    authenticator: createDelegatedAuthentication({
      tokenReviewer: { review: () => Promise.resolve({ authenticated: false }) },
      configSource: { current: () => config, subscribe: () => () => undefined },
      clock,
      logger: recordingLogger().logger,
    }),
    authorizer: createDelegatedAuthorization({ reviewer, clock }),
  });
});
afterAll(async () => {
  await stand.stop();
});

describe("a read through a front proxy, over the real listener", () => {
  test.each(["TLSv1.2", "TLSv1.3"] as const)(
    "a certificate with an intermediate is accepted, again and again: %s",
    async (maxVersion) => {
      const key = frontProxy.privateKeyPem;
      // Connections of one agent resume TLS sessions, which carry the leaf alone.
      const agent = new Agent({ ca: stand.caPem, cert, key, maxVersion });
      for (let round = 0; round < 3; round += 1) {
        const reply = await stand.ask({ path, headers: hpaHeaders, as: null, agent });
        expect({ code: reply.code, isList: reply.body.includes('"1500m"') }).toEqual({
          code: 200,
          isList: true,
        });
      }
      agent.destroy();
    },
  );

  const everyMetric = {
    verb: "list",
    group: "external.metrics.k8s.io",
    version: "v1beta1",
    resource: "*",
  };

  test("one review asks for every metric, and answers for all of them", async () => {
    const agent = new Agent({ ca: stand.caPem, cert, key: frontProxy.privateKeyPem });
    const other = {
      path: `${base}/namespaces/default/orders`,
      headers: hpaHeaders,
      as: null,
      agent,
    };
    expect((await stand.ask(other)).code).toBe(200);
    agent.destroy();
    expect(asked).toEqual([
      {
        user: hpaHeaders["X-Remote-User"],
        groups: ["system:serviceaccounts", "system:authenticated"],
        extra: { "authentication.kubernetes.io/credential-id": ["JTI=1"] },
        resourceAttributes: everyMetric,
      },
    ]);
  });

  test("who may not read every metric is asked for by what is read", async () => {
    asked.length = 0;
    const agent = new Agent({ ca: stand.caPem, cert, key: frontProxy.privateKeyPem });
    const headers = { "X-Remote-User": "team" };
    expect((await stand.ask({ path, headers, as: null, agent })).code).toBe(200);
    const orders = `${base}/namespaces/default/orders`;
    expect((await stand.ask({ path: orders, headers, as: null, agent })).code).toBe(403);
    agent.destroy();
    const { verb, group, version } = everyMetric;
    const named = { namespace: "default", verb, group, version };
    const requirements = [{ key: "queue", operator: "In", values: ["jobs"] }];
    expect(asked.map(({ resourceAttributes }) => resourceAttributes)).toEqual([
      everyMetric,
      { ...named, resource: "queue_depth", labelSelector: { requirements } },
      { ...named, resource: "orders" },
    ]);
  });

  test("the same headers without the certificate are 403 for the anonymous user", async () => {
    const reply = await stand.ask({ path, headers: hpaHeaders, as: null });
    const { message, code } = JSON.parse(reply.body) as { message: string; code: number };
    expect({ message, code }).toEqual({
      code: 403,
      message:
        'queue_depth.external.metrics.k8s.io is forbidden: User "system:anonymous" cannot list resource "queue_depth" in API group "external.metrics.k8s.io" in the namespace "default"',
    });
  });
});
