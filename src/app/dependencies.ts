import type { Registry } from "prom-client";
import type { BuildInfo } from "../apiserver/version.ts";
import type { Clock, Random } from "../runtime/clock.ts";
import type { Logger } from "../runtime/logger.ts";

/** What every part of one process shares: time, chance, the environment, the log, the metrics, and which build it is. */
export interface ProcessDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly build: BuildInfo;
}
