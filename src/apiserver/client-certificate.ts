import type { Clock } from "../runtime/clock.ts";
import type { UserInfo } from "./authenticator.ts";
import type { CertificateSubject } from "./certificate-subject.ts";
import { CertificateVerifier } from "./certificate-verifier.ts";
import { noOpinion } from "./opinion.ts";
import type { Opinion } from "./opinion.ts";
import type { PeerCertificates } from "./peer-certificates.ts";

/**
 * Takes the user from a client certificate: common name is the user, organizations are the groups (upstream: apiserver `request/x509`, CommonNameUserConversion).
 * For one bundle; a new one gets a new authenticator.
 */
export class ClientCertificateAuthenticator {
  readonly #isConfigured: boolean;
  readonly #verifier: CertificateVerifier;
  readonly #users = new WeakMap<CertificateSubject, UserInfo>();

  constructor(clientCaPem: string, clock: Clock) {
    this.#isConfigured = clientCaPem !== "";
    this.#verifier = new CertificateVerifier({ bundlePem: clientCaPem, clock });
  }

  /** Judges the certificate; no opinion without one, without a bundle, and for an empty common name. Always synchronous. */
  authenticate(peer: PeerCertificates | undefined): Opinion {
    if (peer === undefined || !this.#isConfigured) return noOpinion;
    const verdict = this.#verifier.verify(peer);
    if (verdict.status === "invalid") {
      return { status: "failed", reason: `client certificate: ${verdict.reason}` };
    }
    const { subject } = verdict;
    if (subject.commonName === "") return noOpinion;
    const user = this.#users.get(subject) ?? {
      name: subject.commonName,
      groups: subject.organizations,
      extra: {},
    };
    this.#users.set(subject, user);
    return { status: "authenticated", user };
  }
}
