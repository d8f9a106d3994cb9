import { createDelegatedAuthentication } from "../apiserver/authentication.ts";
import type { Authenticator } from "../apiserver/authenticator.ts";
import { createDelegatedAuthorization } from "../apiserver/authorization.ts";
import type { Authorizer } from "../apiserver/authorizer.ts";
import { standaloneAuthenticator, standaloneAuthorizer } from "../apiserver/standalone.ts";
import { createKubernetesClient } from "../kubernetes/client.ts";
import { AuthenticationConfigWatcher } from "../kubernetes/request-header-ca.ts";
import { createSubjectAccessReviewer } from "../kubernetes/subject-access-review.ts";
import { createTokenReviewer } from "../kubernetes/token-review.ts";
import type { Check } from "../runtime/health.ts";
import type { Component } from "../runtime/lifecycle.ts";
import { named } from "./named-failure.ts";
import type { ProcessDependencies } from "./dependencies.ts";
import type { ServeOptions } from "./options.ts";

/** Who may ask: the two gates of the API, and what runs behind them. */
export interface Access {
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  /** What must be known before the process is ready. */
  readonly checks: readonly Check[];
  readonly components: readonly Component[];
}

/** The gates of a process in this mode. Rejects when there is no usable cluster configuration; does not wait for the cluster. */
export async function createAccess(
  options: ServeOptions,
  dependencies: ProcessDependencies,
): Promise<Access> {
  return options.isStandalone ? standaloneAccess : delegatedAccess(options, dependencies);
}

const standaloneAccess: Access = {
  authenticator: standaloneAuthenticator,
  authorizer: standaloneAuthorizer,
  checks: [],
  components: [],
};

async function delegatedAccess(
  { kubeconfigFile }: ServeOptions,
  { clock, random, logger, environment, build }: ProcessDependencies,
): Promise<Access> {
  const opening = createKubernetesClient({
    ...(kubeconfigFile === undefined ? {} : { kubeconfigPath: kubeconfigFile }),
    environment,
    version: build.version,
    clock,
    random,
    logger,
  });
  const client = await named("cluster configuration", opening);
  const watcher = new AuthenticationConfigWatcher({ client, clock, random, logger });
  const authentication = createDelegatedAuthentication({
    tokenReviewer: createTokenReviewer(client),
    configSource: watcher,
    clock,
    logger,
  });
  const reviewer = createSubjectAccessReviewer(client);
  const connections: Component = {
    name: "kubernetes-client",
    start: () => Promise.resolve(),
    stop: () => {
      client.close();
      return Promise.resolve();
    },
  };
  return {
    authenticator: authentication,
    authorizer: createDelegatedAuthorization({ reviewer, clock }),
    checks: [watcher.check],
    components: [connections, watcher],
  };
}
