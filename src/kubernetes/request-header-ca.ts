import type { Logger } from "../runtime/logger.ts";
import { z } from "zod";
import { backoffDelayMs } from "../runtime/backoff.ts";
import type { Clock, Random } from "../runtime/clock.ts";
import { errorFromUnknown } from "../runtime/errors.ts";
import type { Check } from "../runtime/health.ts";
import type { Component } from "../runtime/lifecycle.ts";
import { authenticationConfigFromData } from "./authentication-config.ts";
import type { AuthenticationConfig, ConfigMapData } from "./authentication-config.ts";
import type { KubernetesClient } from "./client.ts";

/** What the watcher needs. */
export interface AuthenticationConfigWatcherOptions {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

const configMapSchema = z.object({ data: z.record(z.string(), z.string()).default({}) });
const listSchema = z.object({
  metadata: z.object({ resourceVersion: z.string() }),
  items: z.array(configMapSchema),
});
const eventSchema = z.object({ type: z.string(), object: z.unknown() });

/** Our rights end at this one object, so every request names it. */
const path =
  "/api/v1/namespaces/kube-system/configmaps?fieldSelector=metadata.name%3Dextension-apiserver-authentication";
/** The server ends a watch after this; the list that follows puts right whatever was missed. */
const watchSeconds = 480;
const watchGraceMs = 15_000;
const pauseBetweenWatchesMs = 1_000;
const backoff = { initialMs: 1_000, maxMs: 10_000 } as const;

/**
 * Follows `kube-system/extension-apiserver-authentication`: whom the cluster trusts to say who someone is. Lists, then watches, and lists again when the watch ends;
 * a failure is retried for ever. A bad or deleted object keeps the last good configuration.
 */
export class AuthenticationConfigWatcher implements Component {
  readonly name = "authentication-config";
  /** Red until the first good answer, or the definite answer that there is no such object; then green, whatever comes. */
  readonly check: Check = { name: "authn-config", run: () => this.#health() };

  readonly #options: AuthenticationConfigWatcherOptions;
  readonly #listeners = new Set<(config: AuthenticationConfig) => void>();
  readonly #stop = new AbortController();
  #config: AuthenticationConfig | undefined;
  #failures = 0;
  #lastFailure = "not read yet";
  #loop: Promise<void> | undefined;

  constructor(options: AuthenticationConfigWatcherOptions) {
    this.#options = options;
  }

  /** The newest good configuration, or undefined until the first answer. */
  current(): AuthenticationConfig | undefined {
    return this.#config;
  }

  /** Calls back after each change; the result ends that. */
  subscribe(listener: (config: AuthenticationConfig) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Begins to follow and returns at once: a cluster that cannot be reached yet is no reason not to start. */
  start(signal: AbortSignal): Promise<void> {
    this.#loop ??= this.#follow(AbortSignal.any([signal, this.#stop.signal]));
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error("stopped"));
    await this.#loop;
  }

  async #follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) await this.#pause(await this.#cycle(signal), signal);
  }

  /** One list and watch. Resolves with how long to wait before the next, milliseconds. */
  async #cycle(signal: AbortSignal): Promise<number> {
    try {
      await this.#listAndWatch(signal);
      return pauseBetweenWatchesMs;
    } catch (reason) {
      if (signal.aborted) return 0;
      this.#failures += 1;
      this.#report(errorFromUnknown(reason));
      return backoffDelayMs(this.#failures, backoff, this.#options.random);
    }
  }

  async #listAndWatch(signal: AbortSignal): Promise<void> {
    const { client } = this.#options;
    const list = listSchema.parse(await client.get(path, signal));
    this.#applyListed(list.items[0]?.data);
    if (this.#failures > 0) this.#lastFailure = "";
    this.#failures = 0;
    const { resourceVersion } = list.metadata;
    const query = `&watch=true&timeoutSeconds=${watchSeconds}&resourceVersion=${encodeURIComponent(resourceVersion)}`;
    await client.watch(`${path}${query}`, {
      signal,
      durationMs: watchSeconds * 1_000 + watchGraceMs,
      onEvent: (event) => this.#handle(event),
    });
  }

  #handle(event: unknown): void {
    const { type, object } = eventSchema.parse(event);
    if (type === "ADDED" || type === "MODIFIED") this.#apply(configMapSchema.parse(object).data);
    else if (type === "DELETED") this.#reportDeleted();
    else if (type === "ERROR") throw new Error("the watch ended with an error");
  }

  #applyListed(data: ConfigMapData | undefined): void {
    if (data !== undefined) this.#apply(data);
    else if (this.#config === undefined) this.#apply({});
    else this.#reportDeleted();
  }

  #reportDeleted(): void {
    this.#options.logger.warn(
      {},
      "Authentication configuration is gone: keeping the last good one",
    );
  }

  #apply(data: ConfigMapData): void {
    let parsed: ReturnType<typeof authenticationConfigFromData>;
    try {
      parsed = authenticationConfigFromData(data);
    } catch (reason) {
      this.#report(errorFromUnknown(reason));
      return;
    }
    const { generation = 0, ...previous } = this.#config ?? {};
    if (this.#config !== undefined && JSON.stringify(previous) === JSON.stringify(parsed)) return;
    this.#config = { generation: generation + 1, ...parsed };
    this.#options.logger.info({ generation: generation + 1 }, "Authentication configuration read");
    for (const listener of this.#listeners) listener(this.#config);
  }

  /** Logs a failure once for as long as it stays the same. */
  #report(err: Error): void {
    if (err.message !== this.#lastFailure) {
      this.#options.logger.warn({ err }, "Authentication configuration not read");
    }
    this.#lastFailure = err.message;
  }

  async #pause(delayMs: number, signal: AbortSignal): Promise<void> {
    // Only the signal ends a sleep early, and the loop looks at it next.
    await this.#options.clock.sleep(delayMs, signal).catch(() => undefined);
  }

  #health(): ReturnType<Check["run"]> {
    return this.#config === undefined
      ? { status: "failed", reason: this.#lastFailure }
      : { status: "ok" };
  }
}
