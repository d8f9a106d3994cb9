import type { KeyPair } from "../../../src/certificates/authority.ts";
import { createAuthority } from "../../../src/certificates/authority.ts";

/** Everything that is signed in one test cluster. */
export interface Certificates {
  /** Signs what kube-apiserver, the controller manager and the scheduler show. */
  readonly servingAuthorityPem: string;
  /** Signs users; kube-apiserver's `--client-ca-file`. */
  readonly clientAuthorityPem: string;
  /** Signs front proxies; kube-apiserver's `--requestheader-client-ca-file`. */
  readonly frontProxyAuthorityPem: string;
  /** Signs what Leadline shows; the APIService's `caBundle`. */
  readonly leadlineAuthorityPem: string;
  readonly apiServer: KeyPair;
  readonly controllers: KeyPair;
  readonly leadline: KeyPair;
  /** User in group system:masters. */
  readonly admin: KeyPair;
  /** User with a good certificate whom no RBAC rule knows. */
  readonly stranger: KeyPair;
  /** What kube-apiserver shows to aggregated servers; its name is the allowed one. */
  readonly frontProxy: KeyPair;
  /** From the front-proxy authority, but with a name that is not allowed. */
  readonly unnamedFrontProxy: KeyPair;
  /** Has the front proxy's name, but is signed by an authority that nobody trusts. */
  readonly untrustedFrontProxy: KeyPair;
}

/** Names under which Leadline's Service is dialled. */
export const leadlineServerName = "leadline.leadline.svc";

/** Makes four authorities (none signs what another is for) and their certificates. */
export async function createCertificates(): Promise<Certificates> {
  const nowMs = Date.now();
  const validity = { notBeforeMs: nowMs - 3_600_000, notAfterMs: nowMs + 24 * 3_600_000 };
  const [serving, client, frontProxy, leadline, untrusted] = await Promise.all(
    ["serving", "client", "front-proxy", "leadline", "untrusted"].map(async (name) =>
      createAuthority({ commonName: `e2e-${name}-ca`, ...validity }),
    ),
  );
  if (!serving || !client || !frontProxy || !leadline || !untrusted) throw new Error("unreachable");
  const local = { dnsNames: ["localhost"], ipAddresses: ["127.0.0.1"] };
  const user = { usages: ["ClientAuth" as const], ...validity };
  const server = { usages: ["ServerAuth" as const], ...validity };
  return {
    servingAuthorityPem: serving.certificatePem,
    clientAuthorityPem: client.certificatePem,
    frontProxyAuthorityPem: frontProxy.certificatePem,
    leadlineAuthorityPem: leadline.certificatePem,
    apiServer: await serving.issue({ commonName: "kube-apiserver", ...local, ...server }),
    controllers: await serving.issue({ commonName: "controllers", ...local, ...server }),
    leadline: await leadline.issue({
      commonName: leadlineServerName,
      dnsNames: [leadlineServerName],
      ...server,
    }),
    admin: await client.issue({
      commonName: "e2e-admin",
      organizations: ["system:masters"],
      ...user,
    }),
    stranger: await client.issue({ commonName: "stranger", organizations: ["strangers"], ...user }),
    frontProxy: await frontProxy.issue({ commonName: "front-proxy-client", ...user }),
    unnamedFrontProxy: await frontProxy.issue({ commonName: "somebody-else", ...user }),
    untrustedFrontProxy: await untrusted.issue({ commonName: "front-proxy-client", ...user }),
  };
}
