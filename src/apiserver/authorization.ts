import { createHash } from "node:crypto";
import type { Clock } from "../runtime/clock.ts";
import { errorFromUnknown } from "../runtime/errors.ts";
import type { RequestOrigin, UserInfo } from "./authenticator.ts";
import type { AuthorizationDecision, Authorizer, RequestAttributes } from "./authorizer.ts";
import { ExpiringCache } from "./expiring-cache.ts";
import { subjectAccessReviewSpec } from "./subject-access-review-spec.ts";
import type { SubjectAccessReviewSpec } from "./subject-access-review-spec.ts";

/** `status` of an `authorization.k8s.io/v1` SubjectAccessReview; keys as on the wire. Neither allowed nor denied means that nobody has an opinion. */
export interface SubjectAccessReviewStatus {
  readonly allowed: boolean;
  readonly denied?: boolean | undefined;
  readonly reason?: string | undefined;
  readonly evaluationError?: string | undefined;
}

/** Asks the cluster whether a user may do something. Rejects when no answer could be had; bounded in time by itself. */
export interface SubjectAccessReviewer {
  review(spec: SubjectAccessReviewSpec): Promise<SubjectAccessReviewStatus>;
}

/** Who answers, and the time. */
export interface DelegatedAuthorizationOptions {
  readonly reviewer: SubjectAccessReviewer;
  readonly clock: Clock;
}

const superuserGroup = "system:masters";
/** Paths that anybody may read, so that a kubelet can probe without credentials (upstream: authorizerfactory, alwaysAllowPaths). */
const openPaths: ReadonlySet<string> = new Set(["/healthz", "/readyz", "/livez"]);
/** How long a decision of either kind holds, and how many are kept (upstream: apiserver `authorizer/webhook`). */
const timeToLiveMs = 10_000;
const maxEntries = 8192;
/** Attributes this long together are not remembered: they come from the caller (upstream: maxControlledAttrCacheSize). */
const maxCachedLength = 10_000;
/** Longer keys are hashed, so that the cache's memory is bounded by its entries and not by what callers send. */
const maxKeyLength = 512;
/** Reviews under way at once; beyond that a request fails at once instead of queueing without bound. */
const maxInFlight = 512;

const allowed: AuthorizationDecision = { status: "allowed" };

/**
 * Lets the cluster decide through SubjectAccessReview, after the superuser group and the open paths (upstream: apiserver
 * `options/authorization.go`). Decisions are kept for ten seconds, failures to get one are not; identical concurrent questions are asked once. What kube-apiserver
 * has let through is first asked for as a whole: see {@link everyMetric}.
 */
export function createDelegatedAuthorization(options: DelegatedAuthorizationOptions): Authorizer {
  return new WebhookAuthorizer(options);
}

class WebhookAuthorizer implements Authorizer {
  readonly #reviewer: SubjectAccessReviewer;
  readonly #cache: ExpiringCache<AuthorizationDecision>;
  readonly #inFlight = new Map<string, Promise<AuthorizationDecision>>();
  readonly #userKeys = new WeakMap<UserInfo, string>();

  constructor({ reviewer, clock }: DelegatedAuthorizationOptions) {
    this.#reviewer = reviewer;
    this.#cache = new ExpiringCache({ clock, maxEntries, timeToLiveMs });
  }

  authorize(
    user: UserInfo,
    attributes: RequestAttributes,
    origin: RequestOrigin = "Direct",
  ): AuthorizationDecision | Promise<AuthorizationDecision> {
    if (user.groups.includes(superuserGroup)) return allowed;
    if (attributes.kind === "NonResource" && openPaths.has(attributes.path)) return allowed;
    const wide = origin === "FrontProxy" ? everyMetric(attributes) : undefined;
    if (wide === undefined) return this.#decide(user, attributes);
    const decision = this.#decide(user, wide);
    return decision instanceof Promise
      ? decision.then((settled) => this.#narrow(user, attributes, settled))
      : this.#narrow(user, attributes, decision);
  }

  /** Who may not read everything may still read this. */
  #narrow(
    user: UserInfo,
    attributes: RequestAttributes,
    wide: AuthorizationDecision,
  ): AuthorizationDecision | Promise<AuthorizationDecision> {
    return wide.status === "allowed" ? wide : this.#decide(user, attributes);
  }

  #decide(
    user: UserInfo,
    attributes: RequestAttributes,
  ): AuthorizationDecision | Promise<AuthorizationDecision> {
    const question = JSON.stringify(attributes);
    const key = boundedKey(`${this.#userKey(user)}\n${question}`);
    const known = this.#cache.get(key) ?? this.#inFlight.get(key);
    if (known !== undefined) return known;
    if (this.#inFlight.size >= maxInFlight) {
      return { status: "error", reason: "too many access reviews under way" };
    }
    const review = this.#review(subjectAccessReviewSpec(user, attributes), key, question.length);
    this.#inFlight.set(key, review);
    return review;
  }

  async #review(
    spec: SubjectAccessReviewSpec,
    key: string,
    questionLength: number,
  ): Promise<AuthorizationDecision> {
    try {
      const decision = decisionFromStatus(await this.#reviewer.review(spec));
      const isCacheable = decision.status !== "error" && questionLength < maxCachedLength;
      if (isCacheable) this.#cache.set(key, decision);
      return decision;
    } catch (reason) {
      const { message } = errorFromUnknown(reason);
      return { status: "error", reason: `access review failed: ${message}` };
    } finally {
      this.#inFlight.delete(key);
    }
  }

  #userKey(user: UserInfo): string {
    const known = this.#userKeys.get(user);
    if (known !== undefined) return known;
    const key = boundedKey(JSON.stringify([user.name, user.uid, user.groups, user.extra]));
    this.#userKeys.set(user, key);
    return key;
  }
}

/**
 * The question whether a user may list every metric of every namespace, for a request that lists one. RBAC says yes only to a rule for `*`, as the HPA
 * controller has one: so a thousand HPAs cost one review in ten seconds, and not one for each metric.
 */
function everyMetric(attributes: RequestAttributes): RequestAttributes | undefined {
  if (attributes.kind !== "Resource" || attributes.verb !== "list") return undefined;
  const { kind, verb, group, version } = attributes;
  return { kind, verb, group, version, namespace: "", resource: "*", name: "", subresource: "" };
}

function decisionFromStatus(status: SubjectAccessReviewStatus): AuthorizationDecision {
  const isDenied = status.denied === true;
  if (status.allowed && isDenied) {
    return { status: "error", reason: "access review answered both allowed and denied" };
  }
  if (status.allowed) return allowed;
  return { status: "denied", reason: status.reason ?? "" };
}

/** JSON never starts with `#`, so a hashed key cannot be taken for a plain one. */
function boundedKey(key: string): string {
  if (key.length <= maxKeyLength) return key;
  return `#${createHash("sha256").update(key).digest("base64")}`;
}
