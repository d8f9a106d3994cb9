import { createApiServer, type ApiServer } from "../apiserver/api-server.ts";
import { createApiServerMetrics } from "../apiserver/metrics.ts";
import type { ExternalMetricsProvider } from "../apiserver/provider.ts";
import { versionInfo } from "../apiserver/version.ts";
import { OpsServer } from "../observability/ops-server.ts";
import { errorFromUnknown } from "../runtime/errors.ts";
import { HealthRegistry } from "../runtime/health.ts";
import { Lifecycle, type Component } from "../runtime/lifecycle.ts";
import { createAccess, type Access } from "./access.ts";
import type { ProcessDependencies } from "./dependencies.ts";
import type { Engine } from "./engine.ts";
import { named } from "./named-failure.ts";
import type { ServeOptions } from "./options.ts";
import { createServingTls, type ServingTlsSource } from "./serving-tls.ts";
import { ShutdownCheck } from "./shutdown-check.ts";
import { signalRoute } from "./signal-routes.ts";

/** The parts that exist before the listeners do. */
export interface ServerParts {
  readonly engine: Engine;
  /** Watches the configuration; starts last, so that a change finds everything running. */
  readonly configFile: Component;
  readonly dependencies: ProcessDependencies;
}

/** Longest time that one component may take to stop, milliseconds; the pod's grace period is the sum's limit. */
const stopTimeoutMs = 10_000;

/** Everything that listens, started in order and stopped in reverse. */
export class ServerProcess {
  readonly #options: ServeOptions;
  readonly #dependencies: ProcessDependencies;
  readonly #lifecycle: Lifecycle;
  readonly #shutdown = new ShutdownCheck();
  readonly #api: ApiServer;
  readonly #components: readonly Component[];

  private constructor(
    options: ServeOptions,
    parts: ServerParts,
    access: Access,
    tls: ServingTlsSource,
  ) {
    const { engine, configFile, dependencies } = parts;
    const { clock } = dependencies;
    this.#options = options;
    this.#dependencies = dependencies;
    this.#lifecycle = new Lifecycle({ clock, stopTimeoutMs });
    const health = new HealthRegistry();
    health.addLiveness({ name: "ping", run: () => ({ status: "ok" }) });
    const firstPoll = engine.pollers.firstPollCheck();
    for (const check of [...access.checks, ...tls.checks, firstPoll, this.#shutdown]) {
      health.addReadiness(check);
    }
    this.#api = apiServer(options, parts, access, { tls, health });
    this.#components = [
      opsServer(options, parts, health),
      ...access.components,
      engine.pollers,
      this.#apiComponent(tls),
      ...tls.components,
      configFile,
    ];
  }

  /** Puts the process together; nothing runs yet. Rejects when the certificate or the cluster configuration cannot be used. */
  static async create(options: ServeOptions, parts: ServerParts): Promise<ServerProcess> {
    const tls = await createServingTls(options.tls, parts.dependencies);
    const access = await createAccess(options, parts.dependencies);
    return new ServerProcess(options, parts, access, tls);
  }

  /** Starts, serves until `stop` aborts, drains, stops. Rejects when something cannot start; what ran by then is stopped. */
  async run(stop: AbortSignal): Promise<void> {
    const { logger } = this.#dependencies;
    // A component's work outlives the wish to stop: it must still answer while the process drains.
    const startup = new AbortController();
    await this.#lifecycle.start(this.#components, startup.signal);
    await aborted(stop);
    logger.info({ reason: String(stop.reason) }, "Stopping");
    await this.#drain();
    for (const { name, durationMs, error } of await this.#lifecycle.stop()) {
      if (error === undefined) logger.debug({ component: name, durationMs }, "Stopped");
      else logger.warn({ component: name, durationMs, err: error }, "Did not stop in time");
    }
    startup.abort(new Error("the process has stopped"));
    logger.info({}, "Stopped");
  }

  /** Tells whoever asks that this process goes, and serves on until they have had time to hear it. */
  async #drain(): Promise<void> {
    this.#shutdown.begin();
    this.#api.startDraining();
    await this.#dependencies.clock.sleep(this.#options.shutdownDelayMs);
  }

  #apiComponent(tls: ServingTlsSource): Component {
    const { logger } = this.#dependencies;
    const present = (): void => {
      try {
        this.#api.setSecureContext(tls.current());
      } catch (reason) {
        logger.error({ err: errorFromUnknown(reason) }, "TLS settings not taken over");
      }
    };
    return {
      name: "api-server",
      start: async () => {
        const address = await named("secure port", this.#api.start());
        tls.onChange(present);
        present();
        logger.info({ address, isStandalone: this.#options.isStandalone }, "Serving");
      },
      stop: () => this.#api.stop(),
    };
  }
}

function apiServer(
  { bindAddress, securePort }: ServeOptions,
  { engine, dependencies }: ServerParts,
  access: Access,
  { tls, health }: { readonly tls: ServingTlsSource; readonly health: HealthRegistry },
): ApiServer {
  const { clock, logger, registry, build } = dependencies;
  return createApiServer({
    provider: engine.provider satisfies ExternalMetricsProvider,
    authenticator: access.authenticator,
    authorizer: access.authorizer,
    health,
    clock,
    metrics: createApiServerMetrics(registry),
    logger,
    version: versionInfo(build),
    tls: tls.current(),
    bindAddress,
    port: securePort,
  });
}

function opsServer(
  { opsBindAddress, opsPort, showsSignals }: ServeOptions,
  { engine, dependencies }: ServerParts,
  health: HealthRegistry,
): OpsServer {
  const { clock, logger, registry } = dependencies;
  const routes = [signalRoute(engine.signals, showsSignals ? "Everyone" : "Loopback")];
  return new OpsServer({
    bindAddress: opsBindAddress,
    port: opsPort,
    ...{ registry, health, routes, clock, logger },
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
