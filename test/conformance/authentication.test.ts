import { Agent } from "node:https";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { makeCertificate, oids } from "../fakes/certificate-factory.ts";
import {
  AuthenticationStand,
  clientRequest,
  configMapOf,
  newAuthority,
} from "./authentication-stand.ts";

vi.setConfig({ testTimeout: 5_000 });

let stand: AuthenticationStand;
beforeEach(async () => {
  stand = await AuthenticationStand.start();
});
afterEach(async () => {
  await stand.stop();
});

const frontProxy = () => stand.proxyAuthority.issue(clientRequest("front-proxy-client"));
const anonymous = { name: "system:anonymous", groups: ["system:unauthenticated"], extra: {} };
const forged = ["X-Remote-User", "admin", "X-Remote-Group", "system:masters"];
const hour = 3_600_000;

describe("A-1: a user's certificate proves the user and nothing else", () => {
  test("identity headers beside a client certificate are ignored and removed", async () => {
    const organizations = ["developers", "oncall"];
    const certificate = await stand.clientAuthority.issue(clientRequest("jane", { organizations }));
    expect(
      await stand.ask({ certificate, headers: [...forged, "X-Remote-Extra-Role", "boss"] }),
    ).toEqual({
      statusCode: 200,
      user: { name: "jane", groups: ["developers", "oncall", "system:authenticated"], extra: {} },
      leftHeaders: [],
    });
  });

  test("a client certificate that bears the front proxy's name stays a user's", async () => {
    const certificate = await stand.clientAuthority.issue(clientRequest("front-proxy-client"));
    const { user } = await stand.ask({ certificate, headers: forged });
    expect(user).toEqual({
      name: "front-proxy-client",
      groups: ["system:authenticated"],
      extra: {},
    });
  });

  test("a front proxy's certificate without identity headers is nobody", async () => {
    expect(await stand.ask({ certificate: await frontProxy() })).toEqual({
      statusCode: 401,
      reason:
        'client certificate: certificate "front-proxy-client" does not chain to the bundle as a client certificate',
    });
  });
});

describe("A-2: only allowed names act as a front proxy", () => {
  test("another name of the same authority is refused", async () => {
    const certificate = await stand.proxyAuthority.issue(clientRequest("somebody-else"));
    expect(await stand.ask({ certificate, headers: forged })).toEqual({
      statusCode: 401,
      reason:
        'front proxy: the name "somebody-else" is not allowed; client certificate: certificate "somebody-else" does not chain to the bundle as a client certificate',
    });
  });

  test("an empty list allows every name of the authority", async () => {
    await stand.publish(
      configMapOf(stand.clientAuthority.certificatePem, stand.proxyAuthority.certificatePem, {
        "requestheader-allowed-names": "[]",
      }),
    );
    const certificate = await stand.proxyAuthority.issue(clientRequest("somebody-else"));
    expect((await stand.ask({ certificate, headers: ["X-Remote-User", "bob"] })).user?.name).toBe(
      "bob",
    );
  });

  test("one authority for users and proxies with no allowed names is warned of", async () => {
    const { certificatePem } = stand.clientAuthority;
    const names = { "requestheader-allowed-names": "" };
    await stand.publish(configMapOf(certificatePem, certificatePem, names));
    await stand.ask();
    expect(stand.lines.map(({ msg }) => msg)).toContain(
      "Any client certificate can act as a front proxy: one authority for both and no allowed names",
    );
  });
});

describe("A-3: a server's certificate does not authenticate a client", () => {
  const cases = [
    { title: "as a user", authority: "clientAuthority", commonName: "jane" },
    { title: "as a front proxy", authority: "proxyAuthority", commonName: "front-proxy-client" },
  ] as const;
  test.each(cases)("$title", async ({ authority, commonName }) => {
    const certificate = await stand[authority].issue(
      clientRequest(commonName, { usages: ["ServerAuth"] }),
    );
    const { statusCode, user } = await stand.ask({ certificate, headers: forged });
    expect({ statusCode, user }).toEqual({ statusCode: 401, user: undefined });
  });
});

describe("A-4: a certificate must chain, now", () => {
  const nowMs = Date.now();
  const cases = [
    {
      title: "expired",
      validity: { notBeforeMs: nowMs - 2 * hour, notAfterMs: nowMs - hour },
      finding: "has expired",
    },
    {
      title: "not valid yet",
      validity: { notBeforeMs: nowMs + hour / 2, notAfterMs: nowMs + hour },
      finding: "is not valid yet",
    },
  ];
  test.each(cases)("$title: refused", async ({ validity, finding }) => {
    const certificate = await stand.proxyAuthority.issue(
      clientRequest("front-proxy-client", validity),
    );
    const { statusCode, reason } = await stand.ask({ certificate, headers: forged });
    expect(statusCode).toBe(401);
    expect(reason).toContain(
      `front proxy: certificate "front-proxy-client" or one of its issuers ${finding};`,
    );
  });

  test("from an authority that nobody trusts: refused", async () => {
    const stranger = await newAuthority("front-proxy-ca");
    const certificate = await stranger.issue(clientRequest("front-proxy-client"));
    expect((await stand.ask({ certificate, headers: forged })).statusCode).toBe(401);
  });

  test("a certificate that expires on an open connection is refused from then on", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const certificate = await frontProxy();
    const headers = ["X-Remote-User", "bob"];
    expect((await stand.ask({ certificate, headers, agent })).statusCode).toBe(200);
    stand.clock.jumpWallClock(2 * hour);
    expect((await stand.ask({ certificate, headers, agent })).statusCode).toBe(401);
    agent.destroy();
  });

  test("through an intermediate that the peer sends: accepted, without it: refused", async () => {
    const root = await makeCertificate({ subject: [{ CN: ["root"] }], isAuthority: true });
    const issuer = await makeCertificate({
      subject: [{ CN: ["issuer"] }],
      issuer: root,
      isAuthority: true,
    });
    const leaf = await makeCertificate({
      subject: [{ CN: ["front-proxy-client"] }],
      issuer,
      extendedKeyUsages: [oids.clientAuth],
    });
    await stand.publish(configMapOf(stand.clientAuthority.certificatePem, root.certificatePem));
    const headers = ["X-Remote-User", "bob"];
    expect((await stand.ask({ certificate: leaf, headers })).statusCode).toBe(401);
    const certificate = { ...leaf, certificatePem: leaf.certificatePem + issuer.certificatePem };
    expect((await stand.ask({ certificate, headers })).user?.name).toBe("bob");
  });
});

describe("A-5: identities arrive whole", () => {
  test("a group with a comma, a UTF-8 name, a uid and extra keys", async () => {
    const latin1 = (text: string): string => Buffer.from(text, "utf8").toString("latin1");
    const headers = [
      ...["X-Remote-User", latin1("ユーザー·ö"), "x-remote-uid", "42"],
      ...["X-Remote-Group", "a, b", "X-REMOTE-GROUP", "c", "X-Remote-Group", ""],
      ...["X-Remote-Extra-Authentication.kubernetes.io%2fcredential-Id", "JTI=1"],
      ...["X-Remote-Extra-Scopes", "one", "X-Remote-Extra-scopes", "two"],
      ...["X-Remote-Extra-%zz", "kept raw", "X-Remote-Extra-__proto__", "harmless"],
    ];
    const answer = await stand.ask({ certificate: await frontProxy(), headers });
    expect(answer).toEqual({
      statusCode: 200,
      user: {
        name: "ユーザー·ö",
        uid: "42",
        groups: ["a, b", "c", "system:authenticated"],
        extra: Object.fromEntries([
          ["authentication.kubernetes.io/credential-id", ["JTI=1"]],
          ["scopes", ["one", "two"]],
          ["%zz", ["kept raw"]],
          ["__proto__", ["harmless"]],
        ]),
      },
      leftHeaders: [],
    });
  });

  test("200 groups, more than 16 KiB of headers", async () => {
    const groups = Array.from({ length: 200 }, (_, index) => `group-${index}-${"x".repeat(80)}`);
    const headers = [
      "X-Remote-User",
      "bob",
      ...groups.flatMap((group) => ["X-Remote-Group", group]),
    ];
    const { user } = await stand.ask({ certificate: await frontProxy(), headers });
    expect(user?.groups).toEqual([...groups, "system:authenticated"]);
  });

  test("kube-apiserver's own requests without a group become authenticated", async () => {
    const headers = ["X-Remote-User", "system:kube-aggregator"];
    const { user } = await stand.ask({ certificate: await frontProxy(), headers });
    expect(user?.groups).toEqual(["system:authenticated"]);
  });

  test("an anonymous user that the front proxy vouches for stays anonymous", async () => {
    const headers = [
      "X-Remote-User",
      "system:anonymous",
      "X-Remote-Group",
      "system:unauthenticated",
    ];
    expect((await stand.ask({ certificate: await frontProxy(), headers })).user).toEqual(anonymous);
  });

  test("one connection carries many users", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const certificate = await frontProxy();
    for (const name of ["alice", "bob", "alice"]) {
      const headers = ["X-Remote-User", name];
      expect((await stand.ask({ certificate, headers, agent })).user?.name).toBe(name);
    }
    agent.destroy();
  });
});

describe("A-6: a bad token is an error, not anonymity", () => {
  const bearer = (token: string): readonly string[] => ["Authorization", `Bearer ${token}`];

  test("a token that the cluster does not know: 401", async () => {
    expect(await stand.ask({ headers: bearer("wrong") })).toEqual({
      statusCode: 401,
      reason: "bearer token: not accepted: [invalid bearer token]",
    });
  });

  test("a good token: its user, beside a certificate that is not good", async () => {
    stand.api.users.set("good", {
      username: "robot",
      uid: "7",
      groups: ["bots"],
      extra: { k: ["v"] },
    });
    const stranger = await newAuthority("stranger");
    const certificate = await stranger.issue(clientRequest("eve"));
    expect(await stand.ask({ certificate, headers: bearer("good") })).toEqual({
      statusCode: 200,
      user: {
        name: "robot",
        uid: "7",
        groups: ["bots", "system:authenticated"],
        extra: { k: ["v"] },
      },
      leftHeaders: [],
    });
  });

  test("a review that fails: 401, and the next request asks again", async () => {
    stand.api.users.set("good", { username: "robot" });
    stand.api.fail("tokenReview", "garbage", 1);
    expect((await stand.ask({ headers: bearer("good") })).statusCode).toBe(401);
    expect((await stand.ask({ headers: bearer("good") })).statusCode).toBe(200);
  });

  test("both outcomes hold for ten seconds; concurrent requests ask once", async () => {
    stand.api.users.set("good", { username: "robot" });
    const ask = async (token: string): Promise<number> =>
      (await stand.ask({ headers: bearer(token) })).statusCode;
    const first = await Promise.all(["good", "good", "good", "bad", "bad"].map(ask));
    expect(first).toEqual([200, 200, 200, 401, 401]);
    expect(stand.api.count("tokenReview")).toBe(2);
    await stand.clock.advance(9_999);
    await ask("good");
    await ask("bad");
    expect(stand.api.count("tokenReview")).toBe(2);
    await stand.clock.advance(1);
    await ask("good");
    expect(stand.api.count("tokenReview")).toBe(3);
  });
});

describe("A-7: access reviews", () => {
  test("the cluster away is 500; a decision taken before holds for ten seconds", async () => {
    expect((await stand.ask({ path: "/known" })).statusCode).toBe(200);
    await stand.api.stop();
    expect((await stand.ask({ path: "/known" })).statusCode).toBe(200);
    const unknown = await stand.ask({ path: "/unknown" });
    expect(unknown.statusCode).toBe(500);
    expect(unknown.reason).toMatch(/^access review failed: POST \/apis\/authorization/u);
    await stand.clock.advance(10_000);
    expect((await stand.ask({ path: "/known" })).statusCode).toBe(500);
    await stand.api.start();
    expect((await stand.ask({ path: "/known" })).statusCode).toBe(200);
  });

  test("a refusal is 403 with the cluster's reason, and holds as well", async () => {
    stand.api.review = () => ({ allowed: false, reason: "not today" });
    const refusal = { statusCode: 403, reason: "not today", user: anonymous, leftHeaders: [] };
    expect(await stand.ask({ path: "/secret" })).toEqual(refusal);
    expect(await stand.ask({ path: "/secret" })).toEqual(refusal);
    expect(stand.api.count("subjectAccessReview")).toBe(1);
  });

  test("identical questions at one time are asked once", async () => {
    let open = (): void => undefined;
    stand.api.gate = new Promise((resolve) => (open = resolve));
    const asked = Promise.all(Array.from({ length: 8 }, () => stand.ask({ path: "/one" })));
    const other = stand.ask({ path: "/two" });
    while (stand.api.count("subjectAccessReview") < 2) await new Promise(setImmediate);
    open();
    await Promise.all([asked, other]);
    expect(stand.api.count("subjectAccessReview")).toBe(2);
  });

  test("probes need no review", async () => {
    await stand.api.stop();
    for (const path of ["/healthz", "/livez", "/readyz"]) {
      expect((await stand.ask({ path })).statusCode).toBe(200);
    }
    expect((await stand.ask({ path: "/readyz/authn-config" })).statusCode).toBe(500);
  });
});

describe("A-8: both authorities rotate without a restart", () => {
  test("the new ones are accepted and the old ones refused, on open connections too", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const headers = ["X-Remote-User", "bob"];
    const oldProxy = await frontProxy();
    const oldUser = await stand.clientAuthority.issue(clientRequest("jane"));
    expect((await stand.ask({ certificate: oldProxy, headers, agent })).user?.name).toBe("bob");
    expect((await stand.ask({ certificate: oldUser })).user?.name).toBe("jane");

    const [clients, proxies] = await Promise.all([
      newAuthority("client-ca"),
      newAuthority("front-proxy-ca"),
    ]);
    await stand.publish(configMapOf(clients.certificatePem, proxies.certificatePem));

    const newProxy = await proxies.issue(clientRequest("front-proxy-client"));
    const newUser = await clients.issue(clientRequest("jane"));
    expect((await stand.ask({ certificate: newProxy, headers })).user?.name).toBe("bob");
    expect((await stand.ask({ certificate: newUser })).user?.name).toBe("jane");
    expect((await stand.ask({ certificate: oldProxy, headers, agent })).statusCode).toBe(401);
    expect((await stand.ask({ certificate: oldUser })).statusCode).toBe(401);
    agent.destroy();
  });

  test("a change that cannot be read keeps the last good configuration", async () => {
    stand.api.setConfigMap({ "requestheader-allowed-names": "front-proxy-client" });
    const rest = { "requestheader-allowed-names": '["front-proxy-client", "other"]' };
    const { clientAuthority, proxyAuthority } = stand;
    const certificate = await proxyAuthority.issue(clientRequest("other"));
    const headers = ["X-Remote-User", "bob"];
    expect((await stand.ask({ certificate: await frontProxy(), headers })).statusCode).toBe(200);
    expect((await stand.ask({ certificate, headers })).statusCode).toBe(401);
    await stand.publish(
      configMapOf(clientAuthority.certificatePem, proxyAuthority.certificatePem, rest),
    );
    expect((await stand.ask({ certificate, headers })).statusCode).toBe(200);
  });
});

describe("A-9: without a certificate there is no identity in headers", () => {
  test("forged headers give the anonymous user and are removed", async () => {
    const headers = [
      ...forged,
      "X-Remote-Uid",
      "0",
      "X-Remote-Extra-a",
      "b",
      "X-Remote-Other",
      "c",
    ];
    expect(await stand.ask({ headers })).toEqual({
      statusCode: 200,
      user: anonymous,
      leftHeaders: [],
    });
  });
});
