import type { SourceErrorCode } from "../../model/source-error.ts";
import { SourceError } from "../../model/source-error.ts";
import { errorCode } from "../../runtime/errors.ts";

/** What an error means: a code of the closed set, and the finding in words that hold no address, user or secret. */
export interface RedisFinding {
  readonly code: SourceErrorCode;
  readonly finding: string;
}

interface Rule extends RedisFinding {
  readonly matches: RegExp;
}

/**
 * Error replies, the first that matches (upstream: redis `src/server.c`, `createSharedObjects`, and `src/acl.c`). An error inside a script comes
 * behind text of the script engine's, so the code is looked for anywhere.
 */
const replyRules: readonly Rule[] = [
  {
    matches: /\bWRONGPASS\b|invalid password/u,
    code: "Unauthenticated",
    finding: "the server rejects the user name or password (WRONGPASS)",
  },
  {
    matches: /\bNOAUTH\b|called without any password configured/u,
    code: "Unauthenticated",
    finding:
      "the server's and our idea of credentials differ: it asks for some, or has none (NOAUTH)",
  },
  {
    // AUTH takes a user name since Redis 6.
    matches: /wrong number of arguments for 'auth'/iu,
    code: "Unauthenticated",
    finding: "the server knows no user names (older than Redis 6)",
  },
  {
    matches: /\bDENIED\b/u,
    code: "PermissionDenied",
    finding: "the server runs in protected mode and refuses us (DENIED)",
  },
  {
    matches: /access (?:one|at least one) of the keys|permissions to access a key/u,
    code: "PermissionDenied",
    finding: "the Redis user has no right to these keys (NOPERM)",
  },
  {
    matches: /\bNOPERM\b|ACL failure|can't run this command/u,
    code: "PermissionDenied",
    finding: "the Redis user has no right to a command that the read needs (NOPERM)",
  },
  {
    matches: /\bWRONGTYPE\b/u,
    code: "FailedPrecondition",
    finding: "a key holds another type than expected (WRONGTYPE)",
  },
  {
    matches: /\bMOVED\b|\bASK\b/u,
    code: "FailedPrecondition",
    finding:
      "the server is a node of a Redis Cluster, the connection is not configured as one (MOVED)",
  },
  {
    matches: /\bCROSSSLOT\b/u,
    code: "FailedPrecondition",
    finding: "the server is a Redis Cluster and the keys lie in different slots (CROSSSLOT)",
  },
  {
    matches: /unknown command/iu,
    code: "FailedPrecondition",
    finding: "the server does not know a command that the read needs",
  },
  {
    matches: /DB index|SELECT is not allowed/u,
    code: "InvalidArgument",
    finding: "the server does not have the database that the URL names",
  },
  {
    matches: /max number of clients|\bOOM\b/u,
    code: "ResourceExhausted",
    finding: "the server has reached a limit of its own (clients or memory)",
  },
  {
    matches: /\bLOADING\b/u,
    code: "Unavailable",
    finding: "the server is still loading (LOADING)",
  },
  {
    matches: /\bMASTERDOWN\b/u,
    code: "Unavailable",
    finding: "the server is a replica that lost its master (MASTERDOWN)",
  },
  {
    matches: /\bCLUSTERDOWN\b|\bTRYAGAIN\b/u,
    code: "Unavailable",
    finding: "the Redis Cluster cannot serve these keys now (CLUSTERDOWN)",
  },
  { matches: /\bBUSY\b/u, code: "Unavailable", finding: "the server is busy with a script (BUSY)" },
  {
    matches: /\bNOSCRIPT\b/u,
    code: "Unavailable",
    finding: "the server forgot the read script twice in one read (NOSCRIPT)",
  },
];

/** Node's codes for a peer that cannot be reached or went away. Anything not named is {@link unknownFinding}. */
const socketFindings: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused (ECONNREFUSED)",
  ECONNRESET: "connection reset by the server (ECONNRESET)",
  ENOTFOUND: "host name not found (ENOTFOUND)",
  EAI_AGAIN: "host name cannot be resolved now (EAI_AGAIN)",
  EHOSTUNREACH: "no route to the host (EHOSTUNREACH)",
  ENETUNREACH: "network unreachable (ENETUNREACH)",
  EPIPE: "connection closed while writing (EPIPE)",
  ECONNABORTED: "connection aborted (ECONNABORTED)",
};

/** Node's and OpenSSL's names for a TLS handshake that cannot succeed as configured (upstream: node `src/crypto/crypto_common.cc`). */
const tlsCode =
  /^(?:ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_CA|EPROTO)/u;

/**
 * Classifies what ioredis, Node or the server gave. Never throws; what is not known is `Unavailable`, so that it is tried again.
 */
export function findingFromRedisError(error: Error): RedisFinding {
  if (error.name === "TimeoutError") return { code: "DeadlineExceeded", finding: error.message };
  if (error.message.startsWith("Unknown RESP type")) {
    return { code: "DataLoss", finding: "the answer is not the Redis protocol" };
  }
  const rule = replyRules.find(({ matches }) => matches.test(error.message));
  if (rule !== undefined) return { code: rule.code, finding: rule.finding };
  return findingFromCode(errorCode(error));
}

function findingFromCode(code: string | undefined): RedisFinding {
  if (code === undefined) return { code: "Unavailable", finding: "connection closed" };
  const socket = socketFindings[code];
  if (socket !== undefined) return { code: "Unavailable", finding: socket };
  if (code === "ETIMEDOUT")
    return { code: "DeadlineExceeded", finding: "connection timed out (ETIMEDOUT)" };
  if (tlsCode.test(code))
    return { code: "FailedPrecondition", finding: `TLS handshake failed (${code})` };
  return { code: "Unavailable", finding: `connection failed (${code})` };
}

/** Where a read failed: the connection, and the thing in the field's words where it is about one. */
export interface RedisSubject {
  readonly connection: string;
  readonly thing?: string;
}

/**
 * The error of a read. A SourceError keeps its code and finding; the cause is kept for logs.
 */
export function sourceErrorFromRedis(error: Error, subject: RedisSubject): SourceError {
  const { code, finding } = error instanceof RedisDialError ? error : findingFromRedisError(error);
  return redisSourceError({ code, finding }, subject, error);
}

/** A SourceError whose message names connection, thing and finding. */
export function redisSourceError(
  { code, finding }: RedisFinding,
  { connection, thing }: RedisSubject,
  cause?: Error,
): SourceError {
  const message = [`connection "${connection}"`, ...(thing === undefined ? [] : [thing]), finding];
  return new SourceError(code, message.join(": "), cause === undefined ? undefined : { cause });
}

/** No socket could be had; carries what that means. Its text is fit for messages. */
export class RedisDialError extends Error implements RedisFinding {
  readonly code: SourceErrorCode;
  readonly finding: string;

  constructor({ code, finding }: RedisFinding, options?: ErrorOptions) {
    super(finding, options);
    this.name = "RedisDialError";
    this.code = code;
    this.finding = finding;
  }
}
