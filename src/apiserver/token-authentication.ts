import { createHmac, randomBytes } from "node:crypto";
import type { Clock } from "../runtime/clock.ts";
import { errorFromUnknown } from "../runtime/errors.ts";
import { ExpiringCache } from "./expiring-cache.ts";
import type { Opinion } from "./opinion.ts";

/** `status` of an `authentication.k8s.io/v1` TokenReview; keys as on the wire. */
export interface TokenReviewStatus {
  readonly authenticated: boolean;
  /** Present when authenticated. */
  readonly user?:
    | {
        readonly username: string;
        readonly uid?: string | undefined;
        readonly groups?: readonly string[] | undefined;
        readonly extra?: Readonly<Record<string, readonly string[]>> | undefined;
      }
    | undefined;
  /** Why the token was not accepted; may be absent. */
  readonly error?: string | undefined;
}

/** Asks the cluster about a bearer token. Rejects when no answer could be had; bounded in time by itself. */
export interface TokenReviewer {
  review(token: string): Promise<TokenReviewStatus>;
}

/** Who answers, and the time. */
export interface TokenAuthenticatorOptions {
  readonly tokenReviewer: TokenReviewer;
  readonly clock: Clock;
}

/** How long an answer of either kind holds (upstream: authenticatorfactory, CacheTTL of delegating servers). */
const timeToLiveMs = 10_000;
const maxEntries = 8192;
/** Reviews under way at once; beyond that a token fails at once instead of queueing without bound. */
const maxInFlight = 512;

/**
 * Takes users from bearer tokens through TokenReview (upstream: apiserver `authenticator/token/cache` over a webhook). Answers are kept for ten seconds,
 * failures to get one are not; concurrent requests with one token ask once.
 */
export class TokenAuthenticator {
  readonly #options: TokenAuthenticatorOptions;
  readonly #cache: ExpiringCache<Opinion>;
  readonly #inFlight = new Map<string, Promise<Opinion>>();
  /** Keys the cache: a dump of this process's memory then shows no token that is not in use. */
  readonly #secret = randomBytes(32);

  constructor(options: TokenAuthenticatorOptions) {
    this.#options = options;
    this.#cache = new ExpiringCache({ clock: options.clock, maxEntries, timeToLiveMs });
  }

  /** Answers remembered. */
  get cachedTokens(): number {
    return this.#cache.size;
  }

  /** Judges one token; directly when the answer is remembered. */
  authenticate(token: string): Opinion | Promise<Opinion> {
    const key = createHmac("sha256", this.#secret).update(token).digest("base64");
    const known = this.#cache.get(key) ?? this.#inFlight.get(key);
    if (known !== undefined) return known;
    if (this.#inFlight.size >= maxInFlight) {
      return { status: "failed", reason: "bearer token: too many reviews under way" };
    }
    const review = this.#review(token, key);
    this.#inFlight.set(key, review);
    return review;
  }

  async #review(token: string, key: string): Promise<Opinion> {
    try {
      const opinion = opinionFromStatus(await this.#options.tokenReviewer.review(token));
      this.#cache.set(key, opinion);
      return opinion;
    } catch (reason) {
      const { message } = errorFromUnknown(reason);
      return { status: "failed", reason: `bearer token: review failed: ${message}` };
    } finally {
      this.#inFlight.delete(key);
    }
  }
}

function opinionFromStatus(status: TokenReviewStatus): Opinion {
  const { user } = status;
  if (!status.authenticated || user === undefined || user.username === "") {
    const detail = status.error === undefined || status.error === "" ? "" : `: ${status.error}`;
    return { status: "failed", reason: `bearer token: not accepted${detail}` };
  }
  return {
    status: "authenticated",
    user: {
      name: user.username,
      ...(user.uid === undefined || user.uid === "" ? {} : { uid: user.uid }),
      groups: user.groups ?? [],
      extra: user.extra ?? {},
    },
  };
}

/**
 * The token of an `Authorization: Bearer …` header, or undefined when it holds none (upstream: apiserver `request/bearertoken/bearertoken.go`).
 */
export function bearerTokenFrom(authorization: string | undefined): string | undefined {
  const [scheme, token] = authorization?.trim().split(" ") ?? [];
  if (scheme?.toLowerCase() !== "bearer" || token === undefined || token === "") return undefined;
  return token;
}
