import { describe, expect, test } from "vitest";
import { parseKubeconfig } from "../../../src/kubernetes/kubeconfig.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

function kubeconfig(cluster: object, user: object, rest: object = {}): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "here",
    contexts: [{ name: "here", context: { cluster: "c", user: "u", namespace: "x" } }],
    clusters: [{ name: "c", cluster }],
    users: [{ name: "u", user }],
    ...rest,
  });
}

describe("what is read", () => {
  const server = "https://10.0.0.1:6443";
  const base = { server, isVerificationSkipped: false };
  const cases = [
    {
      title: "a token",
      cluster: { server: `${server}/` },
      user: { token: "t" },
      context: { ...base, token: { text: "t" } },
    },
    {
      title: "a token file wins over a token",
      cluster: { server },
      user: { token: "t", tokenFile: "token" },
      context: { ...base, token: { file: "/etc/kube/token" } },
    },
    {
      title: "data in place",
      cluster: { server, "certificate-authority-data": base64("CA"), "tls-server-name": "kube" },
      user: { "client-certificate-data": base64("CERT"), "client-key-data": base64("KEY") },
      context: {
        ...base,
        serverName: "kube",
        authority: { text: "CA" },
        clientCertificate: { text: "CERT" },
        clientKey: { text: "KEY" },
      },
    },
    {
      title: "files, relative to the kubeconfig",
      cluster: { server, "certificate-authority": "ca.crt", "insecure-skip-tls-verify": true },
      user: { "client-certificate": "/abs/c.crt", "client-key": "../c.key" },
      context: {
        server,
        isVerificationSkipped: true,
        authority: { file: "/etc/kube/ca.crt" },
        clientCertificate: { file: "/abs/c.crt" },
        clientKey: { file: "/etc/c.key" },
      },
    },
    {
      title: "a name and password",
      cluster: { server },
      user: { username: "a", password: "b" },
      context: { ...base, basic: { username: "a", password: "b" } },
    },
    {
      title: "a credential plugin",
      cluster: { server },
      user: {
        exec: { apiVersion: "v1", command: "aws", args: null, env: [{ name: "A", value: "1" }] },
      },
      context: {
        ...base,
        exec: { apiVersion: "v1", command: "aws", args: [], environment: { A: "1" } },
      },
    },
  ];
  test.each(cases)("$title", ({ cluster, user, context }) => {
    expect(parseKubeconfig(kubeconfig(cluster, user), "/etc/kube/config")).toEqual(context);
  });

  test("YAML", () => {
    const text =
      "current-context: a\ncontexts: [{name: a, context: {cluster: b, user: c}}]\nclusters: [{name: b, cluster: {server: 'https://h'}}]\nusers: [{name: c, user: {}}]\n";
    expect(parseKubeconfig(text, "f")).toEqual({
      server: "https://h",
      isVerificationSkipped: false,
    });
  });
});

describe("what is refused, without showing a secret", () => {
  const server = "https://h";
  const cases = [
    {
      title: "not YAML",
      text: "token: secret\n  x: [",
      message: /^kubeconfig f: not YAML \([A-Z_]+\)$/u,
    },
    { title: "empty", text: "", message: /^kubeconfig f: : Invalid input/u },
    {
      title: "plain HTTP",
      text: kubeconfig({ server: "http://h" }, {}),
      message: /clusters\.0\.cluster\.server: an https URL is needed$/u,
    },
    {
      title: "a proxy",
      text: kubeconfig({ server, "proxy-url": "http://p" }, {}),
      message: /proxy-url: proxies are not supported$/u,
    },
    {
      title: "impersonation",
      text: kubeconfig({ server }, { as: "root" }),
      message: /as: impersonation is not supported$/u,
    },
    {
      title: "an auth provider",
      text: kubeconfig({ server }, { "auth-provider": { name: "oidc" } }),
      message: /auth-provider: auth providers are not supported, use exec$/u,
    },
    {
      title: "no such context",
      text: kubeconfig({ server }, {}, { "current-context": "other" }),
      message: /^kubeconfig f: context "other" not found$/u,
    },
    {
      title: "no such user",
      text: kubeconfig({ server }, {}, { users: [] }),
      message: /^kubeconfig f: user "u" not found$/u,
    },
    {
      title: "every finding at once",
      text: kubeconfig({ server: "ftp://h", "proxy-url": "x" }, { as: "r" }),
      message: /server: .*; .*proxy-url: .*; .*as: /u,
    },
  ];
  test.each(cases)("$title", ({ text, message }) => {
    expect(() => parseKubeconfig(text, "f")).toThrow(message);
  });
});
