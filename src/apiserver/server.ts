import { constants } from "node:crypto";
import { STATUS_CODES } from "node:http";
import type { IncomingMessage, RequestListener } from "node:http";
import https from "node:https";
import type { Server } from "node:https";
import { Server as NetServer } from "node:net";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { statusFailure } from "../model/status.ts";
import type { Status } from "../model/status.ts";
import type { Clock, Deadline } from "../runtime/clock.ts";
import { errorCode } from "../runtime/errors.ts";
import type { LogThrottle } from "./log-throttle.ts";
import type { Logger } from "../runtime/logger.ts";
import { methodNotAllowedStatus } from "./statuses.ts";

/** What the listener presents, PEM. */
export interface ServingTls {
  readonly key: string;
  readonly cert: string;
}

/** What one client may take of this server. */
export interface ServerLimits {
  /** Most connections at once; more are dropped unanswered. Default 4096. */
  readonly maxConnections: number;
  /** Time for a TLS handshake. Default 10000. */
  readonly handshakeTimeoutMs: number;
  /** Time for a whole request, and for a connection to bring its first one. Default 65000. */
  readonly requestTimeoutMs: number;
  /** Time for a request's head. Default 125000; the request's own limit is the shorter one. */
  readonly headersTimeoutMs: number;
  /** How long an idle connection is kept; longer than the 90 s of a Go client, which must be the one to let go. Default 120000. */
  readonly keepAliveTimeoutMs: number;
  /** Most bytes of a request's line and headers: users with many groups have large ones. Default 65536. */
  readonly maxHeaderBytes: number;
  /** How often overdue requests are looked for. Default 5000. */
  readonly checkIntervalMs: number;
  /** How long a pooled connection is kept once the server stops. Default 500. */
  readonly idleGraceMs: number;
  /** How long requests in flight may take once the server stops. Default 5000. */
  readonly stopTimeoutMs: number;
}

/** The limits of a server that is told none. */
export const defaultServerLimits: ServerLimits = {
  maxConnections: 4096,
  handshakeTimeoutMs: 10_000,
  requestTimeoutMs: 65_000,
  headersTimeoutMs: 125_000,
  keepAliveTimeoutMs: 120_000,
  maxHeaderBytes: 64 * 1024,
  checkIntervalMs: 5_000,
  idleGraceMs: 500,
  stopTimeoutMs: 5_000,
};

/** What the server needs. */
export interface SecureServerOptions {
  readonly tls: ServingTls;
  readonly bindAddress: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly limits: ServerLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly throttle: LogThrottle;
}

/** How long a refused connection may linger. */
const lingerMs = 1_000;

/**
 * The HTTPS listener: HTTP/1.1, limits, refusal of what is not HTTP, and an end in order. Asks every client for a certificate and lets
 * everyone connect: who it is, the authenticator says.
 */
export class SecureServer {
  readonly #options: SecureServerOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #refused = new WeakSet<Duplex>();
  #stopping: Promise<void> | undefined;

  constructor(options: SecureServerOptions, listener: RequestListener) {
    this.#options = options;
    this.#server = createHttpsServer(options, listener);
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    this.#server.on("clientError", (error, socket) => this.#refuse(error, socket));
    this.#server.on("tlsClientError", (error) =>
      this.#log("tls", { code: errorCode(error) }, "TLS handshake failed"),
    );
    this.#server.on("drop", () => this.#log("drop", {}, "Connection dropped: too many are open"));
    this.#server.on("connect", (_request: IncomingMessage, socket: Duplex) =>
      this.#end(socket, methodNotAllowedStatus),
    );
  }

  /** Listens; the result is `https://ADDRESS:PORT`. Rejects when the address cannot be had. */
  async start(): Promise<string> {
    const { port, bindAddress } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, bindAddress, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
    this.#server.on("error", (err) => this.#options.logger.error({ err }, "Listener failed"));
    return `https://${this.#hostAndPort()}`;
  }

  /** Presents another certificate from the next handshake on. Throws when key and certificate do not match; the old pair then stays. */
  setSecureContext(tls: ServingTls): void {
    this.#server.setSecureContext(tlsOptions(tls));
  }

  /**
   * Refuses new connections and waits for requests in flight. A pooled connection is kept for a moment, since a request may be on its way; then it
   * is closed. What is left after the limit is cut off.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#close();
    return this.#stopping;
  }

  async #close(): Promise<void> {
    const server = this.#server;
    if (!server.listening) return;
    const { idleGraceMs, stopTimeoutMs } = this.#options.limits;
    // The close of node:http cuts off pooled connections at once, with the request that may be on its way; that of node:net only stops listening.
    const closed = new Promise<void>((resolve) => {
      NetServer.prototype.close.call(server, () => resolve());
    });
    const deadlines = [
      this.#after(idleGraceMs, () => server.closeIdleConnections()),
      this.#after(stopTimeoutMs, () => {
        for (const socket of this.#sockets) socket.destroy();
      }),
    ];
    await closed;
    for (const deadline of deadlines) deadline.clear();
    // Ends the search for overdue requests.
    server.close();
  }

  #after(delayMs: number, action: () => void): Deadline {
    const deadline = this.#options.clock.timeout(delayMs);
    deadline.signal.addEventListener("abort", action, { once: true });
    return deadline;
  }

  #hostAndPort(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") return this.#options.bindAddress;
    const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
    return `${host}:${address.port}`;
  }

  #refuse(error: Error, socket: Duplex): void {
    // What comes in after the refusal is not HTTP either.
    if (this.#refused.has(socket)) return;
    this.#refused.add(socket);
    const code = errorCode(error);
    if (code === "ECONNRESET" || !socket.writable) {
      socket.destroy();
      return;
    }
    this.#end(socket, clientErrorStatus(code));
  }

  /** Writes a last answer and lets go of the connection, whether or not the client does. */
  #end(socket: Duplex, status: Status): void {
    const deadline = this.#after(lingerMs, () => socket.destroy());
    socket.once("close", deadline.clear);
    socket.on("error", () => socket.destroy());
    socket.end(rawAnswer(status));
    // What the client still sends is read and dropped: closing over unread bytes would take our answer with it.
    socket.resume();
  }

  #log(key: string, fields: object, message: string): void {
    const suppressed = this.#options.throttle.admit(`server-${key}`);
    if (suppressed !== undefined) this.#options.logger.info({ ...fields, suppressed }, message);
  }
}

function createHttpsServer({ tls, limits }: SecureServerOptions, listener: RequestListener) {
  const server = https.createServer(
    {
      ...tlsOptions(tls),
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: ["http/1.1"],
      handshakeTimeout: limits.handshakeTimeoutMs,
      maxHeaderSize: limits.maxHeaderBytes,
      connectionsCheckingInterval: limits.checkIntervalMs,
      // The listener answers these with a Status.
      requireHostHeader: false,
    },
    listener,
  );
  server.on("checkContinue", listener);
  server.on("checkExpectation", listener);
  server.maxConnections = limits.maxConnections;
  server.keepAliveTimeout = limits.keepAliveTimeoutMs;
  server.requestTimeout = limits.requestTimeoutMs;
  server.headersTimeout = limits.headersTimeoutMs;
  return server;
}

function tlsOptions({ key, cert }: ServingTls) {
  return {
    key,
    cert,
    // Nobody: clients are verified by the authenticator, per bundle, and Node drops the intermediates of a chain that it can verify (nodejs/node#65579).
    ca: [],
    minVersion: "TLSv1.2" as const,
    // A resumed session carries the client's certificate without its intermediates, so it could not be verified.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

/** The Status for what Node's HTTP parser refused. */
function clientErrorStatus(code: string | undefined): Status {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return {
        ...statusFailure("RequestEntityTooLarge", "the request's line and headers are too large"),
        code: 431,
      };
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return { ...statusFailure("Timeout", "the request did not arrive in time"), code: 408 };
    default:
      return statusFailure("BadRequest", "the request is not valid HTTP");
  }
}

function rawAnswer(status: Status): string {
  const body = `${JSON.stringify(status)}\n`;
  const allow = status.reason === "MethodNotAllowed" ? "Allow: GET\r\n" : "";
  return (
    `HTTP/1.1 ${status.code} ${STATUS_CODES[status.code] ?? ""}\r\n` +
    `Cache-Control: no-cache, private\r\nContent-Type: application/json\r\n${allow}` +
    `X-Content-Type-Options: nosniff\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
    `Connection: close\r\n\r\n${body}`
  );
}
