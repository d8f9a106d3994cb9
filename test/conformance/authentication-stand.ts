import { createServer, request as httpsRequest } from "node:https";
import type { Agent, Server } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Logger } from "pino";
import { createDelegatedAuthentication } from "../../src/apiserver/authentication.ts";
import type { Authenticator, UserInfo } from "../../src/apiserver/authenticator.ts";
import { createDelegatedAuthorization } from "../../src/apiserver/authorization.ts";
import type { AuthorizationDecision, Authorizer } from "../../src/apiserver/authorizer.ts";
import { createAuthority } from "../../src/certificates/authority.ts";
import type { Authority, CertificateRequest, KeyPair } from "../../src/certificates/authority.ts";
import { createKubernetesClient } from "../../src/kubernetes/client.ts";
import type { KubernetesClient } from "../../src/kubernetes/client.ts";
import { AuthenticationConfigWatcher } from "../../src/kubernetes/request-header-ca.ts";
import { createSubjectAccessReviewer } from "../../src/kubernetes/subject-access-review.ts";
import { createTokenReviewer } from "../../src/kubernetes/token-review.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { FakeClock } from "../fakes/fake-clock.ts";
import { FakeKubeApi } from "../fakes/fake-kube-api.ts";
import type { LoggedLine } from "../fakes/recording-logger.ts";
import { recordingLogger } from "../fakes/recording-logger.ts";
import { until } from "../fakes/until.ts";

/** What the listener answered. */
export interface Answer {
  readonly statusCode: number;
  /** Who the request came from, as authenticated. */
  readonly user?: UserInfo;
  readonly reason?: string;
  /** Names of identity headers that were still on the request. */
  readonly leftHeaders?: readonly string[];
}

export interface Ask {
  readonly certificate?: Pick<KeyPair, "certificatePem" | "privateKeyPem">;
  /** Names and values in turn, sent as they are. */
  readonly headers?: readonly string[];
  readonly path?: string;
  readonly agent?: Agent;
}

const hour = 3_600_000;

/** A certificate of a user or proxy; valid now unless told otherwise. */
export function clientRequest(
  commonName: string,
  rest: Partial<CertificateRequest> = {},
): CertificateRequest {
  const nowMs = Date.now();
  const validity = { notBeforeMs: nowMs - hour, notAfterMs: nowMs + hour };
  return { commonName, usages: ["ClientAuth"], ...validity, ...rest };
}

export async function newAuthority(commonName: string): Promise<Authority> {
  const nowMs = Date.now();
  return createAuthority({ commonName, notBeforeMs: nowMs - hour, notAfterMs: nowMs + hour });
}

/** The ConfigMap as kube-apiserver writes it. */
export function configMapOf(
  clientCaPem: string,
  requestHeaderCaPem: string,
  rest: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  return {
    "client-ca-file": clientCaPem,
    "requestheader-client-ca-file": requestHeaderCaPem,
    "requestheader-allowed-names": '["front-proxy-client"]',
    "requestheader-username-headers": '["X-Remote-User"]',
    "requestheader-group-headers": '["X-Remote-Group"]',
    "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
    "requestheader-uid-headers": '["X-Remote-Uid"]',
    ...rest,
  };
}

/**
 * A real TLS listener with the real authenticator and authorizer, over the real client and a kube-apiserver that is true to the wire. The serving, client and
 * front-proxy authorities are three different ones.
 */
export class AuthenticationStand {
  readonly api: FakeKubeApi;
  readonly clock = new FakeClock(Date.now());
  readonly lines: readonly LoggedLine[];
  readonly watcher: AuthenticationConfigWatcher;
  readonly authentication: Authenticator;
  readonly authorization: Authorizer;
  readonly clientAuthority: Authority;
  readonly proxyAuthority: Authority;
  readonly #client: KubernetesClient;
  readonly #serving: { readonly authority: Authority; readonly keys: KeyPair };
  readonly #folder: string;
  #server: Server | undefined;

  private constructor(parts: {
    api: FakeKubeApi;
    client: KubernetesClient;
    authorities: readonly [Authority, Authority, Authority];
    keys: KeyPair;
    folder: string;
    log: { readonly logger: Logger; readonly lines: readonly LoggedLine[] };
  }) {
    const { api, client, authorities, keys, folder, log } = parts;
    const { clock } = this;
    const [serving, clientAuthority, proxyAuthority] = authorities;
    this.api = api;
    this.lines = log.lines;
    this.clientAuthority = clientAuthority;
    this.proxyAuthority = proxyAuthority;
    this.#client = client;
    this.#serving = { authority: serving, keys };
    this.#folder = folder;
    const random = (): number => 0;
    const { logger } = log;
    this.watcher = new AuthenticationConfigWatcher({ client, clock: systemClock, random, logger });
    this.authentication = createDelegatedAuthentication({
      tokenReviewer: createTokenReviewer(client),
      configSource: this.watcher,
      clock,
      logger,
    });
    const reviewer = createSubjectAccessReviewer(client);
    this.authorization = createDelegatedAuthorization({ reviewer, clock });
  }

  static async start(): Promise<AuthenticationStand> {
    const api = await FakeKubeApi.create();
    await api.start();
    const folder = await mkdtemp(join(tmpdir(), "leadline-stand-"));
    const kubeconfigPath = join(folder, "kubeconfig");
    await writeFile(kubeconfigPath, api.kubeconfig());
    const authorities = await Promise.all([
      newAuthority("serving-ca"),
      newAuthority("client-ca"),
      newAuthority("front-proxy-ca"),
    ]);
    const [serving, clientAuthority, proxyAuthority] = authorities;
    const local = { usages: ["ServerAuth" as const], ipAddresses: ["127.0.0.1"] };
    const keys = await serving.issue(clientRequest("leadline", local));
    const log = recordingLogger();
    const random = (): number => 0;
    const client = await createKubernetesClient({
      kubeconfigPath,
      environment: {},
      version: "0.0.0-test",
      clock: systemClock,
      random,
      logger: log.logger,
    });
    api.setConfigMap(configMapOf(clientAuthority.certificatePem, proxyAuthority.certificatePem));
    api.review = () => ({ allowed: true });
    const stand = new AuthenticationStand({ api, client, authorities, keys, folder, log });
    await stand.watcher.start(new AbortController().signal);
    await until(() => api.openWatches === 1, "the configuration is watched");
    await stand.#listen();
    return stand;
  }

  async #listen(): Promise<void> {
    const { certificatePem: cert, privateKeyPem: key } = this.#serving.keys;
    const handshake = { requestCert: true, rejectUnauthorized: false };
    // As the server does: Node trusts nobody, and so leaves the certificates that a peer sent alone.
    const options = { cert, key, ca: [], ...handshake, maxHeaderSize: 65_536 };
    const server = createServer(options, (request, response) => {
      this.#answer(request, response).catch((reason: unknown) => {
        respond(response, { statusCode: 599, reason: String(reason) });
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    this.#server = server;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const result = await this.authentication.authenticate(request);
    if (result.status === "unauthenticated") {
      respond(response, { statusCode: 401, reason: result.reason });
      return;
    }
    const attributes = { kind: "NonResource" as const, path: request.url ?? "", verb: "get" };
    const decision = await this.authorization.authorize(result.user, attributes);
    const names = [
      ...Object.keys(request.headers),
      ...Object.keys(request.headersDistinct),
      ...request.rawHeaders,
    ];
    respond(response, {
      statusCode: statusCodeOf(decision),
      user: result.user,
      leftHeaders: names.filter((name) => name.toLowerCase().startsWith("x-remote-")),
      ...("reason" in decision ? { reason: decision.reason } : {}),
    });
  }

  /** Sends one request, on a connection of its own unless an agent is given. */
  ask({ certificate, headers = [], path = "/apis", agent }: Ask = {}): Promise<Answer> {
    const { port } = this.#server?.address() as AddressInfo;
    return new Promise((resolve, reject) => {
      const request = httpsRequest({
        host: "127.0.0.1",
        port,
        path,
        ca: this.#serving.authority.certificatePem,
        ...(agent === undefined ? { agent: false } : { agent }),
        ...(certificate === undefined
          ? {}
          : { cert: certificate.certificatePem, key: certificate.privateKeyPem }),
        headers: ["Host", "leadline", ...headers],
      });
      request.on("error", reject);
      request.on("response", (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.on("error", reject);
        response.on("end", () => resolve(JSON.parse(text) as Answer));
      });
      request.end();
    });
  }

  /** Publishes another ConfigMap and waits until it is in force. */
  async publish(data: Readonly<Record<string, string>>): Promise<void> {
    const before = this.watcher.current()?.generation;
    this.api.setConfigMap(data);
    await until(() => this.watcher.current()?.generation !== before, "the change is seen");
  }

  async stop(): Promise<void> {
    await this.watcher.stop();
    this.#client.close();
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve) ?? resolve(undefined));
    await this.api.stop();
    await rm(this.#folder, { recursive: true });
  }
}

function statusCodeOf(decision: AuthorizationDecision): number {
  return { allowed: 200, denied: 403, error: 500 }[decision.status];
}

function respond(response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.statusCode, { "content-type": "application/json" });
  response.end(JSON.stringify(answer));
}
