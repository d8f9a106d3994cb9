import type { RedisAddress } from "./config.ts";

/**
 * Gives the present value of a secret. Called again by a read at most once a second, so that a changed value is used soon. Throws when the
 * value cannot be had; what it throws must not hold the secret.
 */
export type SecretReader = () => string;

/** TLS of a Redis connection. Each reader is called for each new socket. PEM texts. */
export interface RedisTlsOptions {
  /** Authorities to trust; default: the system's. */
  readonly ca?: SecretReader;
  /** Client certificate and its key: both or none. */
  readonly cert?: SecretReader;
  readonly key?: SecretReader;
  /** Name that the server's certificate must carry; default: the host. */
  readonly serverName?: string;
}

/** One Redis server, as its client needs it. */
export interface RedisConnectionOptions {
  /** Name of the connection in the configuration; for messages. */
  readonly name: string;
  readonly address: RedisAddress;
  /** ACL user; default: the server's user `default`. */
  readonly username?: SecretReader;
  /** Default: no authentication. */
  readonly password?: SecretReader;
  /** Details of TLS; used when the address says TLS. Default: the system's authorities, the host's name. */
  readonly tls?: RedisTlsOptions;
  /** Longest time for a new socket to connect, authenticate and answer. Milliseconds; default 2,500. */
  readonly dialTimeoutMs?: number;
}
