import type { IncomingMessage } from "node:http";
import type { Status } from "../model/status.ts";
import type { Clock } from "../runtime/clock.ts";
import { errorFromUnknown } from "../runtime/errors.ts";
import type { AuthenticationResult, Authenticator } from "./authenticator.ts";
import type { AuthorizationDecision, Authorizer, RequestAttributes } from "./authorizer.ts";
import type { UserInfo } from "./authenticator.ts";
import type { LogThrottle } from "./log-throttle.ts";
import type { Logger } from "../runtime/logger.ts";
import {
  forbiddenStatus,
  impersonationStatus,
  internalErrorStatus,
  timeoutStatus,
  unauthorizedStatus,
} from "./statuses.ts";
import { withinBudget } from "./within-budget.ts";

/** Whether a request may go on, or the failure to answer it with. */
export type Access =
  { readonly status: "granted" } | { readonly status: "refused"; readonly failure: Status };

/** What access control needs. `budgetMs` bounds the waiting for both answers together. */
export interface AccessControlOptions {
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly throttle: LogThrottle;
  readonly budgetMs: number;
}

const granted: Access = { status: "granted" };

/** Paths that every authenticated user may get, anonymous ones included (upstream: apiserver `options/authorization.go`). */
const alwaysAllowedPaths: ReadonlySet<string> = new Set(["/healthz", "/livez", "/readyz"]);

/**
 * The one way to every answer: authentication, then impersonation (refused), then authorization. Whatever goes wrong on the way refuses.
 * Answers directly when both parts do.
 */
export class AccessControl {
  readonly #options: AccessControlOptions;

  constructor(options: AccessControlOptions) {
    this.#options = options;
  }

  /** Decides about one request; call it once per request, since authentication removes the identity headers. */
  check(request: IncomingMessage, attributes: RequestAttributes): Access | Promise<Access> {
    try {
      const result = this.#options.authenticator.authenticate(request);
      const access =
        result instanceof Promise
          ? result.then((settled) => this.#admit(request, attributes, settled))
          : this.#admit(request, attributes, result);
      return access instanceof Promise ? this.#bounded(access) : access;
    } catch (reason) {
      return this.#fault(reason);
    }
  }

  #admit(
    request: IncomingMessage,
    attributes: RequestAttributes,
    result: AuthenticationResult,
  ): Access | Promise<Access> {
    if (result.status === "unauthenticated") {
      this.#log("unauthenticated", { reason: result.reason }, "Request not authenticated");
      return refused(unauthorizedStatus);
    }
    if (isImpersonating(request)) return refused(impersonationStatus);
    if (attributes.kind === "NonResource" && alwaysAllowedPaths.has(attributes.path))
      return granted;
    const { user, origin = "Direct" } = result;
    const decision = this.#options.authorizer.authorize(user, attributes, origin);
    return decision instanceof Promise
      ? decision.then((settled) => this.#accessFrom(user, attributes, settled))
      : this.#accessFrom(user, attributes, decision);
  }

  #accessFrom(
    user: UserInfo,
    attributes: RequestAttributes,
    decision: AuthorizationDecision,
  ): Access {
    switch (decision.status) {
      case "allowed":
        return granted;
      case "denied":
        return refused(forbiddenStatus(user.name, attributes, decision.reason));
      case "error":
        this.#log("unauthorizable", { reason: decision.reason }, "Request not authorized");
        return refused(internalErrorStatus);
    }
  }

  #bounded(access: Promise<Access>): Promise<Access> {
    const { clock, budgetMs } = this.#options;
    return withinBudget(
      access.catch((reason: unknown) => this.#fault(reason)),
      { clock, budgetMs, onLate: () => refused(timeoutStatus(budgetMs)) },
    );
  }

  #fault(reason: unknown): Access {
    this.#log("fault", { err: errorFromUnknown(reason) }, "Access control failed");
    return refused(internalErrorStatus);
  }

  #log(key: string, fields: object, message: string): void {
    const suppressed = this.#options.throttle.admit(`access-${key}`);
    if (suppressed !== undefined) this.#options.logger.warn({ ...fields, suppressed }, message);
  }
}

function refused(failure: Status): Access {
  return { status: "refused", failure };
}

function isImpersonating(request: IncomingMessage): boolean {
  for (const name in request.headers) if (name.startsWith("impersonate-")) return true;
  return false;
}
