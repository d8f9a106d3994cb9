import { writeFileSync } from "node:fs";
import path from "node:path";
import { createAuthority } from "../../src/certificates/authority.ts";
import { FakeKubeApi } from "../fakes/fake-kube-api.ts";

/** The API server that Leadline asks, and what a front proxy needs to ask Leadline. */
export interface BenchKubernetes {
  readonly files: Readonly<
    Record<
      | "kubeconfig"
      | "servingCa"
      | "servingCert"
      | "servingKey"
      | "frontProxyCa"
      | "frontProxyCert"
      | "frontProxyKey",
      string
    >
  >;
  /** Identity headers as kube-apiserver sends them for the HPA controller. */
  readonly headers: readonly (readonly [string, string])[];
  /** SubjectAccessReviews answered so far. */
  readonly reviews: () => number;
  readonly stop: () => Promise<void>;
}

const dayMs = 86_400_000;
const controller = "system:serviceaccount:kube-system:horizontal-pod-autoscaler";

/** Starts an API server on loopback that lets the HPA controller read every external metric, and writes all certificates. */
export async function startBenchKubernetes(directory: string): Promise<BenchKubernetes> {
  const validity = { notBeforeMs: Date.now() - dayMs, notAfterMs: Date.now() + dayMs };
  const [serving, frontProxy, client] = await Promise.all(
    ["serving-ca", "front-proxy-ca", "client-ca"].map((commonName) =>
      createAuthority({ commonName, ...validity }),
    ),
  );
  const server = await serving!.issue({
    commonName: "leadline",
    dnsNames: ["leadline.leadline.svc"],
    usages: ["ServerAuth"],
    ...validity,
  });
  const proxy = await frontProxy!.issue({
    commonName: "front-proxy-client",
    usages: ["ClientAuth"],
    ...validity,
  });
  const api = await FakeKubeApi.create();
  api.review = (spec) => ({ allowed: spec["user"] === controller });
  api.setConfigMap({
    "client-ca-file": client!.certificatePem,
    "requestheader-client-ca-file": frontProxy!.certificatePem,
    "requestheader-allowed-names": '["front-proxy-client"]',
    "requestheader-username-headers": '["X-Remote-User"]',
    "requestheader-group-headers": '["X-Remote-Group"]',
    "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
    "requestheader-uid-headers": '["X-Remote-Uid"]',
  });
  await api.start();
  const write = (name: string, text: string): string => {
    const file = path.join(directory, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  return {
    files: {
      kubeconfig: write("kubeconfig", api.kubeconfig()),
      servingCa: write("serving-ca.crt", serving!.certificatePem),
      servingCert: write("serving.crt", server.certificatePem),
      servingKey: write("serving.key", server.privateKeyPem),
      frontProxyCa: write("front-proxy-ca.crt", frontProxy!.certificatePem),
      frontProxyCert: write("front-proxy.crt", proxy.certificatePem),
      frontProxyKey: write("front-proxy.key", proxy.privateKeyPem),
    },
    headers: [
      ["Accept", "application/vnd.kubernetes.protobuf, */*"],
      ["Accept-Encoding", "gzip"],
      ["User-Agent", "kube-controller-manager/v1.36.3 (linux/amd64) horizontal-pod-autoscaler"],
      ["X-Remote-User", controller],
      ["X-Remote-Group", "system:serviceaccounts"],
      ["X-Remote-Group", "system:serviceaccounts:kube-system"],
      ["X-Remote-Group", "system:authenticated"],
      ["X-Remote-Uid", "08fcc454-5c76-474c-afdf-e0399ad3b564"],
      [
        "X-Remote-Extra-Authentication.kubernetes.io%2fcredential-Id",
        "JTI=80af6bd2-c9ed-48b1-8538-eecdc745d062",
      ],
    ],
    reviews: () => api.count("subjectAccessReview"),
    stop: () => api.stop(),
  };
}
