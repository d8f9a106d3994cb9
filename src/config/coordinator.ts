import { createHash } from "node:crypto";
import type { Clock } from "../runtime/clock.ts";
import { errorFromUnknown } from "../runtime/errors.ts";
import type { Logger } from "../runtime/logger.ts";
import type { Diagnostic } from "./diagnostics.ts";
import { renderDiagnostic } from "./diagnostics.ts";
import type { LoadResult } from "./load.ts";
import type { ConfigMetrics } from "./metrics.ts";
import type { Configuration } from "./plan.ts";

/** A part's answer to a configuration that may come. */
export type Preparation =
  | {
      readonly status: "prepared";
      /** Takes the configuration over. Must not fail: everything that can fail belongs in `prepare`. */
      readonly commit: () => void | Promise<void>;
      /** Lets go of what was prepared, when another part refused. */
      readonly discard?: () => void;
    }
  | { readonly status: "refused"; readonly reason: string };

/** A part that runs on the configuration. */
export interface ConfigSubscriber {
  readonly name: string;
  /** Makes ready for `next` without changing anything that can be seen. A rejection counts as a refusal. */
  prepare(next: Configuration): Preparation | Promise<Preparation>;
}

/** What became of one try. */
export type ApplyOutcome =
  | { readonly status: "applied"; readonly config: Configuration }
  /** The content is in force already. */
  | { readonly status: "unchanged"; readonly config: Configuration }
  /** The file is not acceptable; at least one error. */
  | { readonly status: "rejected"; readonly diagnostics: readonly Diagnostic[] }
  /** The file is acceptable, but a part cannot run on it. */
  | { readonly status: "refused"; readonly reasons: readonly string[] };

/** What a coordinator needs. */
export interface CoordinatorOptions {
  /** Name of the file, for messages. */
  readonly fileName: string;
  readonly load: (text: string) => LoadResult;
  readonly metrics: ConfigMetrics;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Findings that one log line holds; the rest is counted. */
const maxLoggedFindings = 20;

/**
 * Takes configurations over as a whole (upstream: alertmanager `config/coordinator.go`, made two-phase): first every part prepares and may
 * refuse, then all commit. A file that is not acceptable, or that one part refuses, changes nothing: the last good one stays in force, the gauge
 * drops, and it is logged once for each distinct finding, however often it is tried.
 */
export class ConfigCoordinator {
  readonly #options: CoordinatorOptions;
  readonly #subscribers: ConfigSubscriber[] = [];
  #current: { readonly text: string; readonly config: Configuration } | undefined;
  #lastFailure: string | undefined;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(options: CoordinatorOptions) {
    this.#options = options;
  }

  /** The configuration in force; undefined before the first success. */
  get current(): Configuration | undefined {
    return this.#current?.config;
  }

  /** Adds a part. It is asked from the next `apply` on; whoever adds it gives it the current configuration. */
  subscribe(subscriber: ConfigSubscriber): void {
    this.#subscribers.push(subscriber);
  }

  /** Tries to take a text over. Calls run one after the other, in order. Never rejects. */
  apply(text: string): Promise<ApplyOutcome> {
    const outcome = this.#tail.then(() => this.#apply(text));
    this.#tail = outcome;
    return outcome;
  }

  /** Records that the file could not be read. The last good configuration stays. */
  reportUnreadable(message: string): void {
    this.#options.metrics.observe("unreadable", this.#options.clock.now());
    this.#logFailure(message, [message], "Configuration cannot be read");
  }

  async #apply(text: string): Promise<ApplyOutcome> {
    const { metrics, clock } = this.#options;
    const outcome = await this.#tryText(text);
    metrics.observe(outcome.status, clock.now());
    if (outcome.status === "applied" || outcome.status === "unchanged") {
      this.#lastFailure = undefined;
      metrics.setHash(hashOf(text));
    } else {
      this.#logRejection(text, outcome);
    }
    return outcome;
  }

  async #tryText(text: string): Promise<ApplyOutcome> {
    if (text === this.#current?.text) {
      return { status: "unchanged", config: this.#current.config };
    }
    const result = this.#options.load(text);
    if (result.status === "rejected") return result;
    const preparations = await this.#prepareAll(result.config);
    const reasons = preparations.flatMap((each) => (each.status === "refused" ? each.reason : []));
    if (reasons.length > 0) {
      for (const each of preparations) if (each.status === "prepared") each.discard?.();
      return { status: "refused", reasons };
    }
    this.#current = { text, config: result.config };
    for (const each of preparations)
      if (each.status === "prepared") await this.#commit(each.commit);
    this.#logSuccess(text, result.config, result.warnings);
    return { status: "applied", config: result.config };
  }

  #prepareAll(config: Configuration): Promise<readonly Preparation[]> {
    return Promise.all(
      this.#subscribers.map(async (subscriber): Promise<Preparation> => {
        try {
          const preparation = await subscriber.prepare(config);
          if (preparation.status === "prepared") return preparation;
          return { status: "refused", reason: `${subscriber.name}: ${preparation.reason}` };
        } catch (reason) {
          const { message } = errorFromUnknown(reason);
          return { status: "refused", reason: `${subscriber.name}: ${message}` };
        }
      }),
    );
  }

  async #commit(commit: () => void | Promise<void>): Promise<void> {
    try {
      await commit();
    } catch (reason) {
      // The others go on: half of the parts on the new configuration is better than an unknown number of them.
      const err = errorFromUnknown(reason);
      this.#options.logger.error({ err }, "A part failed to take over the configuration");
    }
  }

  #logSuccess(text: string, config: Configuration, warnings: readonly Diagnostic[]): void {
    const { fileName, logger } = this.#options;
    const facts = { file: fileName, hash: hashOf(text) };
    const { connections, signals } = config;
    const counts = { connections: connections.length, signals: signals.length };
    logger.info({ ...facts, ...counts }, "Configuration in force");
    if (warnings.length === 0) return;
    logger.warn({ ...facts, ...this.#shown(warnings) }, "Configuration has warnings");
  }

  #logRejection(
    text: string,
    outcome: Extract<ApplyOutcome, { status: "rejected" | "refused" }>,
  ): void {
    const findings =
      outcome.status === "refused" ? outcome.reasons : this.#rendered(outcome.diagnostics);
    this.#logFailure(`${hashOf(text)} ${findings.join("\n")}`, findings, "Configuration refused");
  }

  #logFailure(identity: string, findings: readonly string[], sentence: string): void {
    if (identity === this.#lastFailure) return;
    this.#lastFailure = identity;
    const { fileName, logger } = this.#options;
    const isFirst = this.#current === undefined;
    const inForce = isFirst ? "none" : "the last good one";
    logger.error({ file: fileName, inForce, ...limited(findings) }, sentence);
  }

  #shown(diagnostics: readonly Diagnostic[]): ReturnType<typeof limited> {
    return limited(this.#rendered(diagnostics));
  }

  #rendered(diagnostics: readonly Diagnostic[]): readonly string[] {
    return diagnostics.map((each) => renderDiagnostic(this.#options.fileName, each));
  }
}

function limited(findings: readonly string[]): {
  readonly findings: readonly string[];
  readonly more?: number;
} {
  const more = findings.length - maxLoggedFindings;
  if (more <= 0) return { findings };
  return { findings: findings.slice(0, maxLoggedFindings), more };
}

/** The first 48 bits of the SHA-256 of the text: a gauge holds them exactly. */
function hashOf(text: string): number {
  return createHash("sha256").update(text).digest().readUIntBE(0, 6);
}
