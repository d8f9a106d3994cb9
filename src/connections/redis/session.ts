import type { Redis } from "ioredis";
import { errorFromUnknown } from "../../runtime/errors.ts";
import type { OnReply, RedisCommand, RedisReply } from "./command.ts";
import type { RedisLogin } from "./handshake.ts";
import { shakeHands } from "./handshake.ts";
import { untilAborted } from "./until-aborted.ts";

/** What a dial waits for: a connection, the TLS handshake, or the answers to the login. */
export type DialStage = "connect" | "tls" | "login";

type RedisStream = Pick<Redis["stream"], "connecting" | "destroy">;

/** Commands written at once; parsing the replies of one batch holds the event loop for well under a millisecond. */
const batchSize = 100;

/** Most commands without a reply, over all callers: a server that stops answering costs no more memory than this. */
const maxInFlight = 2 * batchSize;

/** One socket to a Redis server, from its handshake to its end. It never reconnects. */
export class RedisSession {
  readonly #client: Redis;
  readonly #scripts = new Set<string>();
  #cause: Error | undefined;
  #inFlight = 0;
  #replies = 0;
  #waiting: (() => void)[] = [];

  constructor(client: Redis) {
    this.#client = client;
    // ioredis's commands say only "Connection is closed."; the reason comes as an event, which without a listener goes to stderr.
    client.on("error", (error: Error) => {
      this.#cause = error;
    });
    client.on("end", () => this.#wake());
  }

  /** Whether commands can be sent. An error of the socket or the protocol ends it, before the socket is closed. */
  get isOpen(): boolean {
    return this.#client.status === "ready" && this.#cause === undefined;
  }

  /** Replies so far; tells a slow server from a hung one. */
  get replies(): number {
    return this.#replies;
  }

  /** Scripts, by SHA-1, that the server has run for this session. */
  get scripts(): Set<string> {
    return this.#scripts;
  }

  /** How far the dial has come, for telling what did not answer. */
  get stage(): DialStage {
    if (this.#client.status !== "connecting") return "login";
    return this.#stream?.connecting === false ? "tls" : "connect";
  }

  /** Connects and logs in; see {@link shakeHands}. Rejects with the cause. The caller bounds it and destroys the session when it fails. */
  async open(login: RedisLogin): Promise<void> {
    try {
      await this.#client.connect();
      await shakeHands((command) => this.#ask(command), login);
    } catch (reason) {
      throw this.#cause ?? errorFromUnknown(reason);
    }
    if (this.#cause !== undefined) throw this.#cause;
  }

  /**
   * Sends the commands in order, in batches, and hands over each reply as it arrives. Resolves when every command has one; rejects with the signal's
   * reason when it aborts, after which no reply is handed over. A socket that ends fails the commands that are left.
   */
  async send(
    commands: readonly RedisCommand[],
    onReply: OnReply,
    signal: AbortSignal,
  ): Promise<void> {
    let next = 0;
    const batches: Promise<void>[] = [];
    while (next < commands.length) {
      const batch = commands.slice(next, next + batchSize);
      await this.#reserve(batch.length, signal);
      batches.push(
        this.#sendBatch(batch, next, (index, reply) => {
          if (!signal.aborted) onReply(index, reply);
        }),
      );
      next += batch.length;
    }
    await untilAborted(Promise.all(batches), signal);
  }

  /** Ends the socket at once, whatever is under way. Idempotent. */
  destroy(): void {
    this.#client.disconnect();
    this.#stream?.destroy();
  }

  /** Before the dial there is no stream, whatever the declaration says. */
  get #stream(): RedisStream | undefined {
    const client: { readonly stream?: RedisStream } = this.#client;
    return client.stream;
  }

  async #ask({ name, args }: RedisCommand): Promise<RedisReply> {
    try {
      return { status: "answered", value: await this.#client.call(name, ...args) };
    } catch (reason) {
      const error = errorFromUnknown(reason);
      if (this.#cause !== undefined || error.name !== "ReplyError") throw error;
      return { status: "failed", error };
    }
  }

  async #sendBatch(
    batch: readonly RedisCommand[],
    offset: number,
    onReply: OnReply,
  ): Promise<void> {
    const settle = (index: number, reply: RedisReply): void => {
      this.#inFlight -= 1;
      if (reply.status === "answered") this.#replies += 1;
      this.#wake();
      onReply(offset + index, reply);
    };
    if (!this.isOpen) {
      const error = this.#cause ?? new Error("connection closed");
      for (const index of batch.keys()) settle(index, { status: "failed", error });
      return;
    }
    // One write for the batch. ioredis's own pipelines copy every command's method for each batch, which costs more than the commands.
    const { stream } = this.#client;
    stream.cork();
    const replies = batch.map(({ name, args }, index) =>
      this.#client.call(name, ...args).then(
        (value) => settle(index, { status: "answered", value }),
        (reason: unknown) => {
          const error = this.#explain(errorFromUnknown(reason));
          settle(index, { status: "failed", error });
        },
      ),
    );
    stream.uncork();
    await Promise.all(replies);
  }

  /** A reply that is an error speaks for itself; the end of the socket is explained by what was seen last. */
  #explain(error: Error): Error {
    if (error.name === "ReplyError") {
      this.#replies += 1;
      return error;
    }
    return this.#cause ?? error;
  }

  /** Takes places in flight, waiting for them. Taken in the same step as they are found free: others wait as well. */
  async #reserve(commands: number, signal: AbortSignal): Promise<void> {
    while (this.isOpen && this.#inFlight + commands > maxInFlight) {
      await untilAborted(new Promise<void>((resolve) => this.#waiting.push(resolve)), signal);
    }
    signal.throwIfAborted();
    this.#inFlight += commands;
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
