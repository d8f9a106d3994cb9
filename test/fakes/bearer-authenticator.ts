import type { IncomingMessage } from "node:http";
import type {
  AuthenticationResult,
  Authenticator,
  UserInfo,
} from "../../src/apiserver/authenticator.ts";

/** Knows users by bearer token; without one the request is anonymous, with an unknown one it is refused. */
export class BearerAuthenticator implements Authenticator {
  readonly #users: ReadonlyMap<string, UserInfo>;
  /** While set, answers are held back until it resolves, as when a token must be reviewed. */
  gate: Promise<void> | undefined;

  /** @param groupsByUser the token of a user is the user's name */
  constructor(groupsByUser: Readonly<Record<string, readonly string[]>>) {
    this.#users = new Map(
      Object.entries(groupsByUser).map(([name, groups]) => [
        name,
        { name, groups: [...groups, "system:authenticated"], extra: {} },
      ]),
    );
  }

  authenticate(request: IncomingMessage): AuthenticationResult | Promise<AuthenticationResult> {
    const result = this.#resultFor(request.headers.authorization);
    return this.gate === undefined ? result : this.gate.then(() => result);
  }

  #resultFor(header: string | undefined): AuthenticationResult {
    if (header === undefined) {
      const groups = ["system:unauthenticated"];
      return { status: "authenticated", user: { name: "system:anonymous", groups, extra: {} } };
    }
    const user = this.#users.get(header.replace(/^Bearer /u, ""));
    return user === undefined
      ? { status: "unauthenticated", reason: "unknown token" }
      : { status: "authenticated", user };
  }
}
