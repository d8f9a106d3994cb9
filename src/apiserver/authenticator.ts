import type { IncomingMessage } from "node:http";

/** Who asks (upstream: apiserver `pkg/authentication/user`, Info). */
export interface UserInfo {
  readonly name: string;
  /** Absent when the authenticator knows none. */
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/**
 * Which way a request came. A `FrontProxy` request was let through by kube-apiserver's own authorizer, for exactly what it asks; a `Direct` one
 * has met nobody.
 */
export type RequestOrigin = "FrontProxy" | "Direct";

/** Outcome of authentication. `unauthenticated` becomes a 401; its reason is for the log alone. */
export type AuthenticationResult =
  | {
      readonly status: "authenticated";
      readonly user: UserInfo;
      /** Default: `Direct`. */
      readonly origin?: RequestOrigin;
    }
  | { readonly status: "unauthenticated"; readonly reason: string };

/**
 * Tells who sent a request. Removes the identity headers it was configured with from the request, whoever sent them.
 * Answers directly when it knows, and with a promise only when it must ask: the metric path stays synchronous while caches are warm.
 */
export interface Authenticator {
  authenticate(request: IncomingMessage): AuthenticationResult | Promise<AuthenticationResult>;
}
