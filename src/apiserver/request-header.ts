import type { Clock } from "../runtime/clock.ts";
import type { RequestHeaderConfig } from "./authentication-config.ts";
import type { UserInfo } from "./authenticator.ts";
import { CertificateVerifier } from "./certificate-verifier.ts";
import { userFromIdentityHeaders, withLowerCaseHeaders } from "./identity-headers.ts";
import type { IdentityHeaders } from "./identity-headers.ts";
import { noOpinion } from "./opinion.ts";
import type { Opinion } from "./opinion.ts";
import type { PeerCertificates } from "./peer-certificates.ts";

/** Identities remembered, and the longest headers (characters) worth remembering. */
const maxUsers = 1024;
const maxKeyLength = 4096;

/**
 * Takes identities from a front proxy whose certificate chains to the request-header bundle and to no other, and whose common name is allowed
 * (upstream: apiserver `request/headerrequest`, wrapped in `request/x509` NewDynamicCAVerifier). For one configuration; a new one gets a new authenticator.
 */
export class RequestHeaderAuthenticator {
  /** Header names in lower case. */
  readonly config: RequestHeaderConfig;
  readonly #verifier: CertificateVerifier;
  readonly #users = new Map<string, UserInfo>();

  constructor(config: RequestHeaderConfig, clock: Clock) {
    this.config = withLowerCaseHeaders(config);
    this.#verifier = new CertificateVerifier({ bundlePem: config.clientCaPem, clock });
  }

  /** Judges the headers by the certificate of whoever sent them. Always synchronous. */
  authenticate(headers: IdentityHeaders, peer: PeerCertificates | undefined): Opinion {
    const { clientCaPem, allowedNames } = this.config;
    if (peer === undefined || clientCaPem === "") return noOpinion;
    const verdict = this.#verifier.verify(peer);
    if (verdict.status === "invalid") {
      return { status: "failed", reason: `front proxy: ${verdict.reason}` };
    }
    const { commonName } = verdict.subject;
    if (allowedNames.length > 0 && !allowedNames.includes(commonName)) {
      const reason = `front proxy: the name ${JSON.stringify(commonName)} is not allowed`;
      return { status: "failed", reason };
    }
    const user = this.#userFrom(headers);
    return user === undefined ? noOpinion : { status: "authenticated", user };
  }

  /** The same headers give the same object, so that what is kept per user stays found. */
  #userFrom(headers: IdentityHeaders): UserInfo | undefined {
    const key = headers.join("\n");
    const known = this.#users.get(key);
    if (known !== undefined) return known;
    const user = userFromIdentityHeaders(headers, this.config);
    if (user === undefined || key.length > maxKeyLength) return user;
    if (this.#users.size >= maxUsers) this.#users.clear();
    this.#users.set(key, user);
    return user;
  }
}
