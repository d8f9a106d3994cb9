import type { AuthenticationResult, Authenticator } from "./authenticator.ts";
import type { Authorizer } from "./authorizer.ts";
import { takeIdentityHeaders } from "./identity-headers.ts";

const standaloneUser: AuthenticationResult = {
  status: "authenticated",
  user: { name: "leadline:standalone", groups: ["system:authenticated"], extra: {} },
};

/** Takes everybody for the same local user, whatever they show. Only on loopback: `app/options.ts` sees to that. */
export const standaloneAuthenticator: Authenticator = {
  authenticate(request) {
    takeIdentityHeaders(request, undefined);
    return standaloneUser;
  },
};

/** Allows everything. Only on loopback: `app/options.ts` sees to that. */
export const standaloneAuthorizer: Authorizer = {
  authorize: () => ({ status: "allowed" }),
};
