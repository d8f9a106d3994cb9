import type { HealthRegistry } from "../runtime/health.ts";
import type { Clock } from "../runtime/clock.ts";
import { AccessControl } from "./access-control.ts";
import { createApp } from "./app.ts";
import type { Authenticator } from "./authenticator.ts";
import type { Authorizer } from "./authorizer.ts";
import { Listener } from "./listener.ts";
import { LogThrottle } from "./log-throttle.ts";
import type { Logger } from "../runtime/logger.ts";
import { MetricPath } from "./metric-path.ts";
import type { ApiServerMetrics } from "./metrics.ts";
import { Negotiator } from "./negotiation.ts";
import type { ExternalMetricsProvider } from "./provider.ts";
import { RequestInfoResolver } from "./request-info.ts";
import { SecureServer, defaultServerLimits } from "./server.ts";
import type { ServerLimits, ServingTls } from "./server.ts";
import type { VersionInfo } from "./version.ts";

/** What the API server is made of. */
export interface ApiServerOptions {
  readonly provider: ExternalMetricsProvider;
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly health: HealthRegistry;
  readonly clock: Clock;
  readonly metrics: ApiServerMetrics;
  readonly logger: Logger;
  readonly version: VersionInfo;
  /** The first certificate; {@link ApiServer.setSecureContext} replaces it. */
  readonly tls: ServingTls;
  readonly bindAddress: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Where they differ from {@link defaultServerLimits}. */
  readonly limits?: Partial<ServerLimits>;
  /** Most requests that wait for somebody else at once. Default 400 (upstream: `--max-requests-inflight`). */
  readonly maxInFlight?: number;
  /** Longest that a request may wait for somebody else, milliseconds. Default 5000: one slow read holds up one of the HPA controller's five workers. */
  readonly budgetMs?: number;
}

/** The aggregated API on its port. */
export interface ApiServer {
  /** Listens; the result is the address as `https://127.0.0.1:41873`. Rejects when it cannot be had. */
  start(): Promise<string>;
  /** Presents another certificate from the next handshake on. Throws when key and certificate do not match; the old pair then stays. */
  setSecureContext(tls: ServingTls): void;
  /** From now on every answer closes its connection, so that kube-apiserver moves on; new connections are still served. */
  startDraining(): void;
  /** Refuses connections, lets requests in flight finish, and returns within a bounded time. Safe before `start` and twice. */
  stop(): Promise<void>;
}

const defaultMaxInFlight = 400;
const defaultBudgetMs = 5_000;
const logIntervalMs = 10_000;

/** Puts the API server together; nothing runs before `start`. */
export function createApiServer(options: ApiServerOptions): ApiServer {
  const { clock, metrics, logger } = options;
  const budgetMs = options.budgetMs ?? defaultBudgetMs;
  const throttle = new LogThrottle(clock, logIntervalMs);
  const resolver = new RequestInfoResolver();
  const negotiator = new Negotiator();
  const accessControl = new AccessControl({ ...options, throttle, budgetMs });
  let isDraining = false;
  const listener = new Listener({
    metricPath: new MetricPath({ ...options, accessControl, negotiator, throttle, budgetMs }),
    app: createApp({ ...options, accessControl, resolver, negotiator, throttle }),
    resolver,
    metrics,
    clock,
    logger,
    throttle,
    maxInFlight: options.maxInFlight ?? defaultMaxInFlight,
    isDraining: () => isDraining,
  });
  const limits = { ...defaultServerLimits, ...options.limits };
  const server = new SecureServer({ ...options, limits, throttle }, listener.handle);
  return {
    start: () => server.start(),
    setSecureContext: (tls) => server.setSecureContext(tls),
    startDraining: () => {
      isDraining = true;
    },
    stop: () => {
      isDraining = true;
      return server.stop();
    },
  };
}
