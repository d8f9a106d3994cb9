import { backoffDelayMs } from "../../runtime/backoff.ts";
import type { Clock, Random } from "../../runtime/clock.ts";
import { errorFromUnknown } from "../../runtime/errors.ts";
import type { OnReply } from "./command.ts";
import { createRedisClient } from "./create-client.ts";
import { findingFromRedisError, RedisDialError } from "./errors.ts";
import type { RedisCredentials } from "./handshake.ts";
import type { RedisConnectionOptions } from "./options.ts";
import type { ReadScript, ScriptCall } from "./script.ts";
import { runScript } from "./script.ts";
import type { DialStage } from "./session.ts";
import { RedisSession } from "./session.ts";
import { untilAborted } from "./until-aborted.ts";

/** Time and chance, as arguments. */
export interface RedisConnectionDependencies {
  readonly clock: Clock;
  /** Spreads the reconnects of many processes. */
  readonly random: Random;
}

/** Runs of one script. */
export interface ScriptRun {
  readonly script: ReadScript;
  readonly calls: readonly ScriptCall[];
}

/** Less than the default timeout of a read, which then tells what the dial found and not only that it took too long. */
const defaultDialTimeoutMs = 2_500;

/** Between failed dials, while reads fail at once with the last cause. Short: whoever reads has a backoff of its own. */
const dialBackoff = { initialMs: 50, maxMs: 1_000 } as const;

/** Deadlines in a row without a single reply after which the socket is taken for dead. */
const maxSilentDeadlines = 3;

/** How long credentials are believed before they are read again, milliseconds: reads may be many a second, and files are read each time. */
const credentialsMaxAgeMs = 1_000;

interface OpenSession {
  readonly session: RedisSession;
  readonly credentials: RedisCredentials;
}

/** Deadlines in a row without any reply, and when the last of them passed (monotonic, milliseconds). */
interface Silence {
  readonly deadlines: number;
  readonly lastMs: number;
}

const noSilence: Silence = { deadlines: 0, lastMs: -Infinity };

interface FailedDial {
  readonly credentials: RedisCredentials;
  readonly error: RedisDialError;
  readonly retryAtMs: number;
}

/**
 * One Redis server behind one socket, however many things are read from it. The socket is dialled by the first read that needs it, again by the
 * next read after it ended, and again when the user name or password changed.
 */
export class RedisConnection {
  readonly #options: RedisConnectionOptions;
  readonly #dependencies: RedisConnectionDependencies;
  readonly #closing = new AbortController();
  #open: OpenSession | undefined;
  #dialing: Promise<RedisSession> | undefined;
  #credentialsReadMs = -Infinity;
  #failures = 0;
  #failed: FailedDial | undefined;
  #silence = noSilence;

  constructor(options: RedisConnectionOptions, dependencies: RedisConnectionDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
  }

  /** Name of the connection in the configuration. */
  get name(): string {
    return this.#options.name;
  }

  /**
   * Runs a script once for each call and hands over each reply, or failure, as it arrives. Resolves when every call has one, or at once when the
   * signal aborts: what is left is not mentioned then. Never rejects.
   */
  async runScript(run: ScriptRun, onReply: OnReply, signal: AbortSignal): Promise<void> {
    const isAnswered = new Set<number>();
    const report: OnReply = (index, reply) => {
      isAnswered.add(index);
      onReply(index, reply);
    };
    try {
      await this.#run(run, report, signal);
    } catch (reason) {
      if (signal.aborted) return;
      const error = errorFromUnknown(reason);
      run.calls.forEach((_call, index) => {
        if (!isAnswered.has(index)) report(index, { status: "failed", error });
      });
    }
  }

  /** Ends the socket, or the dial, at once. What is under way fails. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort(
      new RedisDialError({ code: "Unavailable", finding: "connection is closing" }),
    );
    this.#drop();
    await this.#dialing?.catch(() => undefined);
  }

  async #run(run: ScriptRun, onReply: OnReply, signal: AbortSignal): Promise<void> {
    const session = await untilAborted(this.#session(), signal);
    const startedMs = this.#dependencies.clock.monotonic();
    const repliesBefore = session.replies;
    try {
      await runScript(session, run, onReply, signal);
      this.#silence = noSilence;
    } catch (reason) {
      if (session.replies > repliesBefore) this.#silence = noSilence;
      else this.#noteSilentDeadline(session, startedMs);
      throw reason;
    }
  }

  /**
   * A peer that accepts and never answers looks like a slow one; a new socket finds out whether the old one is to blame. Reads that ran side by side
   * count as one.
   */
  #noteSilentDeadline(session: RedisSession, startedMs: number): void {
    if (this.#open?.session !== session || startedMs < this.#silence.lastMs) return;
    const lastMs = this.#dependencies.clock.monotonic();
    this.#silence = { deadlines: this.#silence.deadlines + 1, lastMs };
    if (this.#silence.deadlines >= maxSilentDeadlines) this.#drop();
  }

  #drop(): void {
    this.#open?.session.destroy();
    this.#open = undefined;
    this.#silence = noSilence;
  }

  /** The open session, the one being dialled, or a new one. */
  async #session(): Promise<RedisSession> {
    this.#closing.signal.throwIfAborted();
    const credentials = this.#presentCredentials();
    if (this.#open?.session.isOpen === true && isSame(this.#open.credentials, credentials)) {
      return this.#open.session;
    }
    if (this.#dialing !== undefined) return this.#dialing;
    this.#throwIfTooSoon(credentials);
    this.#drop();
    this.#dialing = this.#dial(credentials).finally(() => {
      this.#dialing = undefined;
    });
    return this.#dialing;
  }

  /** Throws the last dial's error while its backoff lasts; other credentials than the refused ones need not wait. */
  #throwIfTooSoon(credentials: RedisCredentials): void {
    if (this.#failed === undefined || !isSame(this.#failed.credentials, credentials)) return;
    if (this.#dependencies.clock.monotonic() < this.#failed.retryAtMs) throw this.#failed.error;
  }

  async #dial(credentials: RedisCredentials): Promise<RedisSession> {
    const { clock, random } = this.#dependencies;
    const timeoutMs = this.#options.dialTimeoutMs ?? defaultDialTimeoutMs;
    const deadline = clock.timeout(timeoutMs, this.#closing.signal);
    let session: RedisSession | undefined;
    try {
      session = new RedisSession(createRedisClient(this.#options));
      const { database } = this.#options.address;
      await untilAborted(session.open({ credentials, database }), deadline.signal);
      this.#open = { session, credentials };
      this.#failures = 0;
      this.#failed = undefined;
      return session;
    } catch (reason) {
      const error = dialError(errorFromUnknown(reason), { stage: session?.stage, timeoutMs });
      session?.destroy();
      this.#failures += 1;
      const delayMs = backoffDelayMs(this.#failures, dialBackoff, random);
      this.#failed = { credentials, error, retryAtMs: clock.monotonic() + delayMs };
      throw error;
    } finally {
      deadline.clear();
    }
  }

  /** The present credentials; those of the open session while they are young, or cannot be read now. */
  #presentCredentials(): RedisCredentials {
    const open = this.#open?.session.isOpen === true ? this.#open : undefined;
    const nowMs = this.#dependencies.clock.monotonic();
    if (open !== undefined && nowMs - this.#credentialsReadMs < credentialsMaxAgeMs) {
      return open.credentials;
    }
    this.#credentialsReadMs = nowMs;
    try {
      const { username, password } = this.#options;
      return { username: username?.(), password: password?.() };
    } catch (reason) {
      if (open !== undefined) return open.credentials;
      const finding = "the user name or password cannot be read";
      throw new RedisDialError({ code: "Unauthenticated", finding }, { cause: reason });
    }
  }
}

function isSame(a: RedisCredentials, b: RedisCredentials): boolean {
  return a.username === b.username && a.password === b.password;
}

/** What a dial that took too long was waiting for. */
const overdueFindings = {
  connect: (ms: number) => `no connection within ${ms} ms`,
  tls: (ms: number) =>
    `no answer to the TLS handshake within ${ms} ms; the server may not speak TLS`,
  login: (ms: number) => `no answer within ${ms} ms`,
} as const satisfies Record<DialStage, (ms: number) => string>;

interface DialProgress {
  readonly stage: DialStage | undefined;
  readonly timeoutMs: number;
}

function dialError(error: Error, { stage, timeoutMs }: DialProgress): RedisDialError {
  if (error instanceof RedisDialError) return error;
  const isOverdue = error.name === "TimeoutError" && stage !== undefined;
  const { code, finding } = findingFromRedisError(error);
  return new RedisDialError(
    { code, finding: isOverdue ? overdueFindings[stage](timeoutMs) : finding },
    { cause: error },
  );
}
