import { type Command, Option } from "commander";
import { logLevels, type LogLevel } from "../observability/logger.ts";
import { exitCodes, type CliContext } from "./context.ts";
import { keepYoungGenerationSmall } from "./memory.ts";
import { parsePort, parseSeconds } from "./option-parsers.ts";

interface ServeFlags {
  readonly config: string;
  readonly kubeconfig?: string;
  readonly bindAddress?: string;
  readonly securePort?: number;
  readonly tlsCertFile?: string;
  readonly tlsPrivateKeyFile?: string;
  readonly opsBindAddress?: string;
  readonly opsPort?: number;
  readonly shutdownDelaySeconds?: number;
  readonly standalone?: true;
  readonly logLevel?: LogLevel;
}

/** Adds `leadline serve`, whose flags are a contract with manifests and tests outside this repository. */
export function registerServe(
  program: Command,
  context: CliContext,
  setExitCode: (code: number) => void,
): void {
  program
    .command("serve")
    .description("serve external.metrics.k8s.io until a signal stops it")
    .requiredOption("--config <file>", "leadline.yaml; reloaded when its content changes")
    .option("--kubeconfig <file>", "default: in-cluster, then $KUBECONFIG")
    .option("--bind-address <address>", "of the aggregated API (default: 0.0.0.0)")
    .option("--secure-port <port>", "of the aggregated API (default: 6443)", parsePort)
    .option("--tls-cert-file <file>", "serving certificate, PEM; reloaded when it changes")
    .option("--tls-private-key-file <file>", "its key, PEM; reloaded when it changes")
    .option("--ops-bind-address <address>", "of the ops port (default: 0.0.0.0)")
    .option("--ops-port <port>", "of /metrics, /livez, /readyz (default: 8080)", parsePort)
    .option(
      "--shutdown-delay-seconds <n>",
      "between a red /readyz and the closing of the listener (default: 15)",
      parseSeconds,
    )
    .option("--standalone", "no Kubernetes, no authentication, loopback only")
    .addOption(
      new Option("--log-level <level>", "JSON lines on standard output (default: info)").choices(
        logLevels,
      ),
    )
    .action(async (flags: ServeFlags) => {
      // From here on a signal means: drain first.
      context.stop.arm();
      keepYoungGenerationSmall();
      const { serve } = await import("../app/serve.ts");
      const outcome = await serve({
        configFile: flags.config,
        mode: { isStandalone: flags.standalone === true, kubeconfigFile: flags.kubeconfig },
        settings: flags,
        logLevel: flags.logLevel,
        environment: context.environment,
        stderr: context.stderr,
        stop: context.stop.signal,
      });
      setExitCode(outcome === "stopped" ? exitCodes.ok : exitCodes.configuration);
    });
}
