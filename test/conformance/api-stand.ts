import { request as httpsRequest } from "node:https";
import type { Agent } from "node:https";
import { connect } from "node:tls";
import type { TLSSocket } from "node:tls";
import { Registry } from "prom-client";
import { createApiServer } from "../../src/apiserver/api-server.ts";
import type { ApiServer, ApiServerOptions } from "../../src/apiserver/api-server.ts";
import { createApiServerMetrics } from "../../src/apiserver/metrics.ts";
import { versionInfo } from "../../src/apiserver/version.ts";
import { createAuthority } from "../../src/certificates/authority.ts";
import type { Authority, KeyPair } from "../../src/certificates/authority.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { HealthRegistry } from "../../src/runtime/health.ts";
import { BearerAuthenticator } from "../fakes/bearer-authenticator.ts";
import { FixedProvider } from "../fakes/fixed-provider.ts";
import type { LoggedLine } from "../fakes/recording-logger.ts";
import { recordingLogger } from "../fakes/recording-logger.ts";
import { RuleAuthorizer } from "../fakes/rule-authorizer.ts";

/** A whole response. */
export interface Reply {
  readonly code: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export interface Ask {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Names of a user that the stand knows; `null` sends no token. Default `hpa`. */
  readonly as?: string | null;
  readonly agent?: Agent;
  readonly body?: string;
}

export const base = "/apis/external.metrics.k8s.io/v1beta1";
export const timestampMs = Date.UTC(2025, 0, 1, 0, 0, 0, 999);
const hour = 3_600_000;

const authorityPromise = createAuthority({
  commonName: "serving-ca",
  notBeforeMs: Date.now() - hour,
  notAfterMs: Date.now() + hour,
});

export async function servingPair(dnsName = "leadline.leadline.svc"): Promise<KeyPair> {
  const authority = await authorityPromise;
  return authority.issue({
    commonName: dnsName,
    dnsNames: [dnsName],
    ipAddresses: ["127.0.0.1"],
    usages: ["ServerAuth"],
    notBeforeMs: Date.now() - hour,
    notAfterMs: Date.now() + hour,
  });
}

/**
 * The API server behind its real listener. Users: `hpa` may do everything, `probe` is in `system:masters`, `nobody` may do nothing; a user's token is the user's name.
 */
export class ApiStand {
  readonly provider = new FixedProvider({
    "default/queue_depth": [
      {
        metricName: "queue_depth",
        metricLabels: { queue: "jobs" },
        timestampMs,
        windowSeconds: 60,
        value: "1500m",
      },
      {
        metricName: "queue_depth",
        metricLabels: { tier: "a", queue: "mail" },
        timestampMs,
        value: "42",
      },
    ],
    "default/orders": [{ metricName: "Orders", metricLabels: {}, timestampMs, value: "7" }],
    "default/a|b.c-d_e:f": [
      { metricName: "a|b.c-d_e:f", metricLabels: {}, timestampMs, value: "1" },
    ],
    [`default/${"m".repeat(200)}`]: [
      { metricName: "m".repeat(200), metricLabels: {}, timestampMs, value: "2" },
    ],
  });
  readonly authenticator = new BearerAuthenticator({
    hpa: [],
    probe: ["system:masters"],
    nobody: [],
  });
  readonly authorizer = new RuleAuthorizer((user) =>
    user.name === "nobody" || user.name === "system:anonymous"
      ? { status: "denied", reason: "" }
      : { status: "allowed" },
  );
  readonly health = new HealthRegistry();
  readonly registry = new Registry();
  readonly server: ApiServer;
  readonly lines: readonly LoggedLine[];
  /** Every reply so far, for what must hold of all of them. */
  readonly replies: Reply[] = [];
  #address = "";
  readonly #caPem: string;

  private constructor(authority: Authority, pair: KeyPair, options: Partial<ApiServerOptions>) {
    const { logger, lines } = recordingLogger();
    this.lines = lines;
    this.#caPem = authority.certificatePem;
    this.health.addLiveness({ name: "ping", run: () => ({ status: "ok" }) });
    this.server = createApiServer({
      provider: this.provider,
      authenticator: this.authenticator,
      authorizer: this.authorizer,
      health: this.health,
      clock: systemClock,
      metrics: createApiServerMetrics(this.registry),
      logger,
      version: versionInfo({ version: "1.2.3", platform: "linux/amd64" }),
      tls: { key: pair.privateKeyPem, cert: pair.certificatePem },
      bindAddress: "127.0.0.1",
      port: 0,
      ...options,
    });
  }

  static async start(options: Partial<ApiServerOptions> = {}): Promise<ApiStand> {
    const stand = new ApiStand(await authorityPromise, await servingPair(), options);
    stand.#address = await stand.server.start();
    return stand;
  }

  get port(): number {
    return Number(new URL(this.#address).port);
  }

  get caPem(): string {
    return this.#caPem;
  }

  get address(): string {
    return this.#address;
  }

  /** Sends one request, on a connection of its own unless an agent is given. */
  ask({ method = "GET", path, headers = {}, as = "hpa", agent, body }: Ask): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const request = httpsRequest({
        host: "127.0.0.1",
        port: this.port,
        method,
        path,
        ca: this.#caPem,
        agent: agent ?? false,
        headers: { ...(as === null ? {} : { authorization: `Bearer ${as}` }), ...headers },
      });
      request.on("error", reject);
      request.on("response", (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.on("error", reject);
        response.on("end", () => {
          const reply = {
            code: response.statusCode ?? 0,
            headers: response.headers as Reply["headers"],
            body: text,
          };
          this.replies.push(reply);
          resolve(reply);
        });
      });
      request.end(body);
    });
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
    return this.ask({ path, headers });
  }

  /** A TLS connection, handshake done, nothing sent. */
  openSocket(): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: "127.0.0.1", port: this.port, ca: this.#caPem }, () =>
        resolve(socket),
      );
      socket.on("error", reject);
    });
  }

  /** Writes text on a connection of its own and gives back everything until the server ends it. */
  async converse(text: string): Promise<string> {
    const socket = await this.openSocket();
    return new Promise((resolve) => {
      let received = "";
      socket.setEncoding("utf8");
      socket.on("data", (chunk: string) => (received += chunk));
      socket.on("error", () => undefined);
      socket.on("close", () => resolve(received));
      socket.on("end", () => socket.end());
      socket.write(text);
    });
  }

  async stop(): Promise<void> {
    await this.server.stop();
  }
}

/** The body of a Status as it must be on the wire. */
export function statusBody(
  code: number,
  reason: string,
  message: string,
  details?: Readonly<Record<string, string>>,
): string {
  return `${JSON.stringify({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    reason,
    ...(details === undefined ? {} : { details }),
    code,
  })}\n`;
}
