import type { IncomingMessage } from "node:http";
import type { Logger } from "../runtime/logger.ts";
import type { Clock } from "../runtime/clock.ts";
import type { AuthenticationConfig, AuthenticationConfigSource } from "./authentication-config.ts";
import type {
  AuthenticationResult,
  Authenticator,
  RequestOrigin,
  UserInfo,
} from "./authenticator.ts";
import { ClientCertificateAuthenticator } from "./client-certificate.ts";
import { takeIdentityHeaders } from "./identity-headers.ts";
import type { Opinion } from "./opinion.ts";
import { PeerCertificateReader } from "./peer-certificates.ts";
import { RequestHeaderAuthenticator } from "./request-header.ts";
import { bearerTokenFrom, TokenAuthenticator } from "./token-authentication.ts";
import type { TokenReviewer } from "./token-authentication.ts";

/** What delegated authentication needs. */
export interface DelegatedAuthenticationOptions {
  readonly tokenReviewer: TokenReviewer;
  readonly configSource: AuthenticationConfigSource;
  readonly clock: Clock;
  readonly logger: Logger;
}

const authenticatedGroup = "system:authenticated";
const unauthenticatedGroup = "system:unauthenticated";
const anonymousName = "system:anonymous";

const anonymous: AuthenticationResult = {
  status: "authenticated",
  user: { name: anonymousName, groups: [unauthenticatedGroup], extra: {} },
};

/**
 * Joins front proxy, client certificate, bearer token and anonymous, in this order (upstream: apiserver
 * `authenticatorfactory/delegating.go`). An error of one does not stop the next, but keeps the request from becoming anonymous.
 *
 * The listener must ask for client certificates and trust none (`requestCert`, `rejectUnauthorized: false`, `ca: []`): they are verified here, against each bundle
 * alone, and Node drops the intermediates of a chain that it could verify by itself (nodejs/node#65579).
 */
export function createDelegatedAuthentication(
  options: DelegatedAuthenticationOptions,
): Authenticator {
  return new UnionAuthenticator(options);
}

/** The authenticators that belong to one configuration. */
interface Configured {
  readonly config: AuthenticationConfig;
  readonly requestHeader: RequestHeaderAuthenticator;
  readonly clientCertificate: ClientCertificateAuthenticator;
}

class UnionAuthenticator implements Authenticator {
  readonly #options: DelegatedAuthenticationOptions;
  readonly #peers = new PeerCertificateReader();
  readonly #tokens: TokenAuthenticator;
  readonly #withGroup = new WeakMap<UserInfo, AuthenticationResult>();
  #configured: Configured | undefined;

  constructor(options: DelegatedAuthenticationOptions) {
    this.#options = options;
    this.#tokens = new TokenAuthenticator(options);
  }

  authenticate(request: IncomingMessage): AuthenticationResult | Promise<AuthenticationResult> {
    const configured = this.#current();
    const headers = takeIdentityHeaders(request, configured?.requestHeader.config);
    const peer = this.#peers.read(request.socket);
    const failures: string[] = [];
    if (configured !== undefined) {
      const proxied = configured.requestHeader.authenticate(headers, peer);
      if (proxied.status === "authenticated") {
        return this.#accepted(proxied.user, "FrontProxy");
      }
      if (proxied.status === "failed") failures.push(proxied.reason);
      const certified = configured.clientCertificate.authenticate(peer);
      if (certified.status === "authenticated") return this.#accepted(certified.user);
      if (certified.status === "failed") failures.push(certified.reason);
    } else if (peer !== undefined) {
      failures.push("client certificate: the cluster's authorities are not known yet");
    }
    const token = bearerTokenFrom(request.headers.authorization);
    if (token === undefined) return this.#concluded(failures);
    const opinion = this.#tokens.authenticate(token);
    return opinion instanceof Promise
      ? opinion.then((late) => this.#concludedWith(late, failures))
      : this.#concludedWith(opinion, failures);
  }

  #concludedWith(opinion: Opinion, failures: readonly string[]): AuthenticationResult {
    switch (opinion.status) {
      case "authenticated":
        return this.#accepted(opinion.user);
      case "failed":
        return this.#concluded([...failures, opinion.reason]);
      case "none":
        return this.#concluded(failures);
    }
  }

  #concluded(failures: readonly string[]): AuthenticationResult {
    if (failures.length === 0) return anonymous;
    return { status: "unauthenticated", reason: failures.join("; ") };
  }

  /** Adds the group that every authenticated user has; kube-apiserver's own requests come without any (upstream: AuthenticatedGroupAdder). */
  #accepted(user: UserInfo, origin: RequestOrigin = "Direct"): AuthenticationResult {
    const known = this.#withGroup.get(user);
    if (known !== undefined) return known;
    const isComplete =
      user.name === anonymousName ||
      user.groups.includes(authenticatedGroup) ||
      user.groups.includes(unauthenticatedGroup);
    const result: AuthenticationResult = {
      status: "authenticated",
      user: isComplete ? user : { ...user, groups: [...user.groups, authenticatedGroup] },
      origin,
    };
    this.#withGroup.set(user, result);
    return result;
  }

  /** Rebuilds what depends on the configuration when it has changed, with everything remembered under the old one. */
  #current(): Configured | undefined {
    const { configSource, clock } = this.#options;
    const config = configSource.current();
    if (config === undefined || config.generation === this.#configured?.config.generation) {
      return this.#configured;
    }
    this.#configured = {
      config,
      requestHeader: new RequestHeaderAuthenticator(config.requestHeader, clock),
      clientCertificate: new ClientCertificateAuthenticator(config.clientCaPem, clock),
    };
    this.#warnAbout(config);
    return this.#configured;
  }

  #warnAbout({ clientCaPem, requestHeader }: AuthenticationConfig): void {
    if (requestHeader.clientCaPem === "") {
      this.#options.logger.warn(
        {},
        "Front proxies cannot be authenticated: no request-header authority",
      );
    } else if (
      requestHeader.allowedNames.length === 0 &&
      requestHeader.clientCaPem === clientCaPem
    ) {
      this.#options.logger.warn(
        {},
        "Any client certificate can act as a front proxy: one authority for both and no allowed names",
      );
    }
  }
}
