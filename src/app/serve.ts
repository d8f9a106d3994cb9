import { readFileSync } from "node:fs";
import { ConfigCoordinator, type ApplyOutcome } from "../config/coordinator.ts";
import { renderDiagnostic } from "../config/diagnostics.ts";
import { ConfigFileProvider } from "../config/file-provider.ts";
import { loadConfig } from "../config/load.ts";
import { createConfigMetrics } from "../config/metrics.ts";
import type { Configuration } from "../config/plan.ts";
import { readNamedFile } from "../config/secrets.ts";
import { createLogger, type LogLevel } from "../observability/logger.ts";
import { createRegistry } from "../observability/registry.ts";
import { systemClock, systemRandom } from "../runtime/clock.ts";
import { errorFromUnknown } from "../runtime/errors.ts";
import { compileExpression } from "../signals/program.ts";
import { readBuildInfo } from "./build-info.ts";
import type { ProcessDependencies } from "./dependencies.ts";
import { createEngine, type Engine } from "./engine.ts";
import {
  resolveOptions,
  type ServeMode,
  type ServeOptions,
  type ServeSettings,
} from "./options.ts";
import { ServerProcess } from "./server-process.ts";

/** What the command line says. */
export interface ServeRequest {
  readonly configFile: string;
  readonly mode: ServeMode;
  /** Flags; they win over the file. */
  readonly settings: ServeSettings;
  /** Default: what the file says, else `info`. */
  readonly logLevel?: LogLevel | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stderr: (text: string) => void;
  /** Aborts when the process is asked to stop. */
  readonly stop: AbortSignal;
}

/** `stopped` after a signal; `refused` when the configuration, a flag or an address does not let the server run. */
export type ServeOutcome = "stopped" | "refused";

/**
 * Runs the server until it is asked to stop. What keeps it from starting goes to standard error, one finding a line; a cluster or a queue that cannot be reached
 * does not.
 */
export async function serve(request: ServeRequest): Promise<ServeOutcome> {
  const build = readBuildInfo();
  const logger = createLogger({ level: request.logLevel ?? "info", clock: systemClock });
  const dependencies: ProcessDependencies = {
    clock: systemClock,
    random: systemRandom,
    environment: request.environment,
    logger,
    registry: createRegistry({ version: build.version, node: process.version }),
    build,
  };
  const engine = createEngine(dependencies);
  const coordinator = createCoordinator(request, engine, dependencies);
  try {
    const { text, configuration } = await firstConfiguration(request, coordinator);
    logger.level = request.logLevel ?? configuration.server.logLevel ?? logger.level;
    const options = optionsFor(request, configuration);
    const configFile = new ConfigFileProvider({
      file: request.configFile,
      coordinator,
      clock: dependencies.clock,
      logger: dependencies.logger,
      appliedText: text,
    });
    const server = await ServerProcess.create(options, { engine, configFile, dependencies });
    await server.run(request.stop);
    return "stopped";
  } catch (reason) {
    const { message } = errorFromUnknown(reason);
    request.stderr(`${message}\n`);
    return "refused";
  }
}

function createCoordinator(
  request: ServeRequest,
  engine: Engine,
  { environment, registry, logger, clock }: ProcessDependencies,
): ConfigCoordinator {
  const readFile = (path: string): string => readFileSync(path, "utf8");
  const coordinator = new ConfigCoordinator({
    fileName: request.configFile,
    load: (text) => loadConfig(text, { readFile, environment, compileExpression }),
    metrics: createConfigMetrics(registry),
    logger,
    clock,
  });
  coordinator.subscribe(engine.subscriber);
  return coordinator;
}

/** The file as of now, in force. Throws an Error whose message is every finding, one a line. */
async function firstConfiguration(
  { configFile }: ServeRequest,
  coordinator: ConfigCoordinator,
): Promise<{ readonly text: string; readonly configuration: Configuration }> {
  const text = readNamedFile(configFile, (path) => readFileSync(path, "utf8"));
  const outcome = await coordinator.apply(text);
  switch (outcome.status) {
    case "applied":
    case "unchanged":
      return { text, configuration: outcome.config };
    case "rejected":
    case "refused":
      throw new Error(findingsOf(configFile, outcome).join("\n"));
  }
}

function findingsOf(
  file: string,
  outcome: Extract<ApplyOutcome, { status: "rejected" | "refused" }>,
): readonly string[] {
  if (outcome.status === "refused") return outcome.reasons.map((reason) => `${file}: ${reason}`);
  return outcome.diagnostics.map((diagnostic) => renderDiagnostic(file, diagnostic));
}

function optionsFor(request: ServeRequest, { server, ops }: Configuration): ServeOptions {
  const file: ServeSettings = {
    bindAddress: server.bindAddress,
    securePort: server.securePort,
    tlsCertFile: server.tlsCertFile,
    tlsPrivateKeyFile: server.tlsPrivateKeyFile,
    shutdownDelaySeconds: server.shutdownDelaySeconds,
    opsBindAddress: ops.bindAddress,
    opsPort: ops.port,
    showsSignals: ops.api.enabled,
  };
  const resolved = resolveOptions(request.mode, request.settings, file);
  if (resolved.status === "refused") throw new Error(resolved.errors.join("\n"));
  return resolved.options;
}
