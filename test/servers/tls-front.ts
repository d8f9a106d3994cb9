import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { createServer } from "node:tls";
import type { Server } from "node:tls";

/** What a {@link TlsFront} presents and asks for; PEM. */
export interface TlsFrontOptions {
  readonly port: number;
  readonly ca: string;
  readonly certificate: string;
  readonly privateKey: string;
  readonly requireClientCertificate: boolean;
}

/** Ends TLS in front of a server that was built without it: each connection is one connection behind, byte for byte. */
export class TlsFront {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(options: TlsFrontOptions, innerPort: number) {
    this.#server = createServer(
      {
        ca: options.ca,
        cert: options.certificate,
        key: options.privateKey,
        requestCert: options.requireClientCertificate,
        rejectUnauthorized: options.requireClientCertificate,
      },
      (outer) => {
        const inner = connect(innerPort, "127.0.0.1");
        for (const [from, to] of [
          [outer, inner],
          [inner, outer],
        ] as const) {
          this.#sockets.add(from);
          from.on("error", () => to.destroy());
          from.on("close", () => {
            this.#sockets.delete(from);
            to.destroy();
          });
          from.pipe(to);
        }
      },
    );
    this.#server.on("tlsClientError", () => undefined);
  }

  /** Listens on its port. */
  static async start(options: TlsFrontOptions, innerPort: number): Promise<TlsFront> {
    const front = new TlsFront(options, innerPort);
    front.#server.listen(options.port, "127.0.0.1");
    await once(front.#server, "listening");
    return front;
  }

  /** Refuses from now on, and breaks every connection. */
  async stop(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
