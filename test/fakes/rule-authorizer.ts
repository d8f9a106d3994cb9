import type {
  AuthorizationDecision,
  Authorizer,
  RequestAttributes,
} from "../../src/apiserver/authorizer.ts";
import type { UserInfo } from "../../src/apiserver/authenticator.ts";

/** Decides by one function, and remembers what it was asked. */
export class RuleAuthorizer implements Authorizer {
  readonly asked: { readonly user: string; readonly attributes: RequestAttributes }[] = [];
  rule: (user: UserInfo, attributes: RequestAttributes) => AuthorizationDecision;

  constructor(rule: (user: UserInfo, attributes: RequestAttributes) => AuthorizationDecision) {
    this.rule = rule;
  }

  authorize(user: UserInfo, attributes: RequestAttributes): AuthorizationDecision {
    this.asked.push({ user: user.name, attributes });
    return this.rule(user, attributes);
  }
}
