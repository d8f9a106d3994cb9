import { EventEmitter, once } from "node:events";
import type { Server, Socket } from "node:net";
import { connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** One server behind the balancer. */
export interface Backend {
  readonly name: string;
  readonly port: number;
  /** Whether new connections may go there; what its `/readyz` says. */
  readonly isReady: () => Promise<boolean>;
}

/** Where to listen and whom to follow. */
export interface BalancerOptions {
  readonly port: number;
  readonly backends: readonly Backend[];
  /** Time between two looks at each backend: how late a change of readiness is noticed. */
  readonly probeIntervalMs: number;
}

/**
 * A TCP balancer that follows readiness as kube-proxy follows endpoints.
 *
 * New connections go in turn to the backends that were ready when last asked; a connection that exists stays where it is
 * until one side closes it. It neither retries nor looks inside: a connection to a backend that has just gone is reset.
 */
export class Balancer {
  readonly #options: BalancerOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #ready = new Map<string, boolean>();
  readonly #connections = new Map<string, number>();
  readonly #probed = new EventEmitter();
  readonly #stopped = new AbortController();
  readonly #loops: Promise<void>[];
  #next = 0;

  private constructor(options: BalancerOptions) {
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#route(socket));
    this.#loops = options.backends.map(async (backend) => this.#follow(backend));
  }

  /** Listens on 127.0.0.1 and starts following. */
  static async start(options: BalancerOptions): Promise<Balancer> {
    const balancer = new Balancer(options);
    await new Promise<void>((resolve, reject) => {
      balancer.#server.once("error", reject);
      balancer.#server.listen(options.port, "127.0.0.1", resolve);
    });
    return balancer;
  }

  /** Whether the backend gets new connections now. */
  isReady(name: string): boolean {
    return this.#ready.get(name) === true;
  }

  /** Resolves when the backend has just been asked: a change from now on is noticed as late as it can be. */
  async untilProbed(name: string): Promise<void> {
    await once(this.#probed, name, { signal: this.#stopped.signal });
  }

  /** Connections that the backend has been given so far. */
  connectionsOf(name: string): number {
    return this.#connections.get(name) ?? 0;
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#loops);
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #follow(backend: Backend): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      this.#ready.set(backend.name, await backend.isReady().catch(() => false));
      this.#probed.emit(backend.name);
      await sleep(this.#options.probeIntervalMs, undefined, { signal }).catch(() => undefined);
    }
  }

  #route(client: Socket): void {
    const ready = this.#options.backends.filter(({ name }) => this.isReady(name));
    const backend = ready[this.#next % Math.max(ready.length, 1)];
    this.#next += 1;
    if (backend === undefined) {
      client.resetAndDestroy();
      return;
    }
    this.#connections.set(backend.name, this.connectionsOf(backend.name) + 1);
    const server = connect({ port: backend.port, host: "127.0.0.1", allowHalfOpen: true });
    this.#join(client, server);
    this.#join(server, client);
    client.pipe(server);
    server.pipe(client);
  }

  /** Keeps track of one side and carries its breaking over to the other. */
  #join(side: Socket, other: Socket): void {
    this.#sockets.add(side);
    side.setNoDelay(true);
    side.once("error", () => other.resetAndDestroy());
    side.once("close", () => {
      this.#sockets.delete(side);
      if (!other.writableEnded) other.end();
    });
  }
}
