/** How a front proxy hands identities on (upstream: apiserver `pkg/authentication/authenticatorfactory/requestheader.go`). */
export interface RequestHeaderConfig {
  /** PEM bundle that front proxies' certificates must chain to; empty when there is none, which turns this way in off. */
  readonly clientCaPem: string;
  /** Common names that may act as a front proxy; empty means every name that the bundle vouches for. */
  readonly allowedNames: readonly string[];
  readonly usernameHeaders: readonly string[];
  /** Empty where the cluster sends no UIDs. */
  readonly uidHeaders: readonly string[];
  readonly groupHeaders: readonly string[];
  readonly extraHeaderPrefixes: readonly string[];
}

/** Whom the cluster trusts to say who someone is. */
export interface AuthenticationConfig {
  /** Different for every published configuration; never goes back. */
  readonly generation: number;
  /** PEM bundle for users' certificates; empty when there is none, which turns client certificates off. */
  readonly clientCaPem: string;
  readonly requestHeader: RequestHeaderConfig;
}

/** Where the configuration comes from; it may change at any time. */
export interface AuthenticationConfigSource {
  /** The newest good configuration, or undefined until the first answer. */
  current(): AuthenticationConfig | undefined;
  /** Calls back after each change; the result ends that. */
  subscribe(listener: (config: AuthenticationConfig) => void): () => void;
}
