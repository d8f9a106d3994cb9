import type { LabelSelector } from "../model/label-selector.ts";
import type { RequestOrigin, UserInfo } from "./authenticator.ts";

/** What is asked for, as RBAC sees it (upstream: apiserver `pkg/endpoints/request/requestinfo.go`). */
export type RequestAttributes =
  | { readonly kind: "NonResource"; readonly path: string; readonly verb: string }
  | {
      readonly kind: "Resource";
      readonly verb: string;
      readonly group: string;
      readonly version: string;
      /** Empty for a request outside a namespace. */
      readonly namespace: string;
      readonly resource: string;
      /** Empty when the request names no object. */
      readonly name: string;
      readonly subresource: string;
      /** Sent along so that an authorizer can allow selected lists only; absent when there is none or it does not parse. */
      readonly labelSelector?: LabelSelector;
    };

/** Outcome of authorization. `denied` becomes a 403 whose message ends in `reason` when that is not empty; `error` a 500. */
export type AuthorizationDecision =
  | { readonly status: "allowed" }
  | { readonly status: "denied"; readonly reason: string }
  | { readonly status: "error"; readonly reason: string };

/** Tells whether a user may do what is asked. Answers directly from its cache, with a promise only when it must ask. `origin` defaults to `Direct`. */
export interface Authorizer {
  authorize(
    user: UserInfo,
    attributes: RequestAttributes,
    origin?: RequestOrigin,
  ): AuthorizationDecision | Promise<AuthorizationDecision>;
}
