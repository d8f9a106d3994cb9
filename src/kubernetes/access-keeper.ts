import { Agent } from "node:https";
import type { Logger } from "../runtime/logger.ts";
import type { Clock } from "../runtime/clock.ts";
import { errorFromUnknown } from "../runtime/errors.ts";
import type { ClusterAccess, TlsMaterial } from "./cluster-access.ts";

/** How to read the access, and what to tell when it cannot be read again. */
export interface AccessKeeperOptions {
  readonly load: () => Promise<ClusterAccess>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Credentials and the connections made with them. */
export interface Session {
  readonly access: ClusterAccess;
  readonly agent: Agent;
}

/** Tokens in files are exchanged while we run; client-go reads them again as often as this. */
const reloadIntervalMs = 60_000;
/** Credentials that end are renewed this early. */
const renewalMarginMs = 30_000;
const maxSockets = 32;
const idleSocketMs = 60_000;

/**
 * Keeps credentials fresh: reads them again every minute, before they expire and after the cluster refused them, and opens new connections when the TLS material
 * has changed. What cannot be read again stays as it was.
 */
export class AccessKeeper {
  readonly #options: AccessKeeperOptions;
  #session: Session;
  #loadedMs: number;
  #reloading: Promise<void> | undefined;

  private constructor(options: AccessKeeperOptions, access: ClusterAccess) {
    this.#options = options;
    this.#session = { access, agent: agentFor(access.tls) };
    this.#loadedMs = options.clock.monotonic();
  }

  /** Rejects when the access cannot be read the first time: that is a configuration error. */
  static async open(options: AccessKeeperOptions): Promise<AccessKeeper> {
    return new AccessKeeper(options, await options.load());
  }

  /** The present session, read again first when it is due. */
  async session(): Promise<Session> {
    const { clock } = this.#options;
    const { expiresAtMs } = this.#session.access;
    const isOld = clock.monotonic() - this.#loadedMs >= reloadIntervalMs;
    const isEnding = expiresAtMs !== undefined && clock.now() >= expiresAtMs - renewalMarginMs;
    // Credentials that say when they end are good until then: a plugin is not run every minute.
    if (expiresAtMs === undefined ? isOld : isEnding) await this.renew();
    return this.#session;
  }

  /** Reads everything again now; concurrent calls read once. Never rejects. */
  renew(): Promise<void> {
    this.#reloading ??= this.#reload().finally(() => {
      this.#reloading = undefined;
    });
    return this.#reloading;
  }

  /** Closes every connection. */
  close(): void {
    this.#session.agent.destroy();
  }

  async #reload(): Promise<void> {
    this.#loadedMs = this.#options.clock.monotonic();
    try {
      const access = await this.#options.load();
      const isSameTls = JSON.stringify(access.tls) === JSON.stringify(this.#session.access.tls);
      // The old agent's connections end with the requests on them and then idle out.
      const agent = isSameTls ? this.#session.agent : agentFor(access.tls);
      this.#session = { access, agent };
    } catch (reason) {
      const err = errorFromUnknown(reason);
      this.#options.logger.warn({ err }, "Cluster credentials not read again");
    }
  }
}

function agentFor(tls: TlsMaterial): Agent {
  return new Agent({ ...tls, keepAlive: true, maxSockets, timeout: idleSocketMs });
}
