import type { Redis } from "ioredis";
import { errorFromUnknown } from "../../runtime/errors.ts";
import { untilAborted } from "./until-aborted.ts";

/** One command: its name and arguments in order. */
export interface RedisCommand {
  readonly name: string;
  readonly args: readonly (string | number)[];
}

/** What came back for one command. `error` is a reply or the end of the socket. */
export type RedisReply =
  | { readonly status: "answered"; readonly value: unknown }
  | { readonly status: "failed"; readonly error: Error };

/** Receives the reply of the command at `index`, as it arrives. */
export type OnReply = (index: number, reply: RedisReply) => void;

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

  /**
   * Connects, authenticates, chooses the database, and proves with `CLIENT SETNAME` that the server answers: a server that refuses us says so only in
   * reply to a command. Rejects with the cause. The caller bounds it and destroys the session when it fails.
   */
  async open(): Promise<void> {
    try {
      await this.#client.connect();
      // ioredis goes on after a failed SELECT, on database 0: another database's numbers.
      if (this.#cause !== undefined) throw this.#cause;
      await this.#client.call("CLIENT", "SETNAME", "leadline");
    } catch (reason) {
      const error = this.#cause ?? errorFromUnknown(reason);
      // A user without the right to set a name is answered as well.
      if (!/\bNOPERM\b/u.test(error.message)) throw error;
    }
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
    // Before the dial there is no stream, whatever the declaration says.
    const client: { readonly stream?: { destroy(): unknown } } = this.#client;
    client.stream?.destroy();
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
