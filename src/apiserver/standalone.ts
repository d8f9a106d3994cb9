import { BlockList, isIP } from "node:net";
import type { AuthenticationResult, Authenticator } from "./authenticator.ts";
import type { Authorizer } from "./authorizer.ts";
import { takeIdentityHeaders } from "./identity-headers.ts";

const standaloneUser: AuthenticationResult = {
  status: "authenticated",
  user: { name: "leadline:standalone", groups: ["system:authenticated"], extra: {} },
};

/** Takes everybody for the same local user, whatever they show. Only behind {@link isLoopbackAddress}. */
export const standaloneAuthenticator: Authenticator = {
  authenticate(request) {
    takeIdentityHeaders(request, undefined);
    return standaloneUser;
  },
};

/** Allows everything. Only behind {@link isLoopbackAddress}. */
export const standaloneAuthorizer: Authorizer = {
  authorize: () => ({ status: "allowed" }),
};

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/**
 * Tells whether a bind address can only be reached from this machine. Names are refused, `localhost` too: what they resolve to is not decided here.
 */
export function isLoopbackAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return loopback.check(address, "ipv4");
    case 6:
      return loopback.check(address, "ipv6");
    default:
      return false;
  }
}
