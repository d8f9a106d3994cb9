import { Redis } from "ioredis";
import type { RedisOptions } from "ioredis";
import { RedisDialError } from "./errors.ts";
import type { RedisConnectionOptions, RedisTlsOptions } from "./options.ts";

/**
 * The one place that decides what kind of client is behind a connection: here a single server; Sentinel and Cluster belong here too.
 *
 * The client is not connected yet and lives for one socket: it does not reconnect, queue or repeat anything by itself, because the connection
 * above owns time, credentials and errors. It is given neither credentials nor a database: logging in is up to the session. RESP2 needs no HELLO, which old servers lack and strict ACLs deny; INFO and CLIENT SETINFO are left
 * out for the same reason.
 */
export function createRedisClient(options: RedisConnectionOptions): Redis {
  const { host, port, isTls } = options.address;
  const client = new Redis({
    host,
    port,
    lazyConnect: true,
    protocol: 2,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    disableClientInfo: true,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: null,
    // The connection's own dial deadline covers the handshake as well.
    connectTimeout: 0,
    ...(isTls ? { tls: tlsOptions(options.tls ?? {}) } : {}),
  } satisfies RedisOptions);
  return client;
}

function tlsOptions(tls: RedisTlsOptions): NonNullable<RedisOptions["tls"]> {
  try {
    return {
      ...(tls.ca === undefined ? {} : { ca: tls.ca() }),
      ...(tls.cert === undefined ? {} : { cert: tls.cert() }),
      ...(tls.key === undefined ? {} : { key: tls.key() }),
      ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
    };
  } catch (reason) {
    const finding = "a certificate or key for TLS cannot be read";
    throw new RedisDialError({ code: "FailedPrecondition", finding }, { cause: reason });
  }
}
