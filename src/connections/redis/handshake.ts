import type { RedisCommand, RedisReply } from "./command.ts";
import { findingFromRedisError, RedisDialError } from "./errors.ts";

/** User name and password of one socket; absent when the server asks for none. */
export interface RedisCredentials {
  readonly username: string | undefined;
  readonly password: string | undefined;
}

/** Who we are, and which database we want. */
export interface RedisLogin {
  readonly credentials: RedisCredentials;
  /** Number of the database; a new socket is on 0. */
  readonly database: number;
}

/** Sends one command and gives its reply. Rejects when the socket ends. */
export type Ask = (command: RedisCommand) => Promise<RedisReply>;

/** A password for a user without one: Redis 6 and newer, older ones (upstream: redis `src/acl.c`, `authCommand`; `src/server.c` of 5.0). */
const needsNoPassword = /without any password configured|no password is set/u;

/** A name that is not given: the user may not, or the server has no such command. */
const keepsUsNameless = /\bNOPERM\b|unknown (?:command|subcommand)/iu;

/**
 * Logs in, chooses the database, and sets the socket's name, one after the other: a socket that is not certain to be ours and on the right
 * database is never used. The name is optional, its reply is not: a server that refuses us says so only in reply to a command.
 *
 * Not left to ioredis, which prints refusals of AUTH to stderr, and goes on after a refused SELECT: on database 0, with another database's numbers.
 *
 * Rejects with a RedisDialError for what the server refuses; it holds nothing of what was sent.
 */
export async function shakeHands(ask: Ask, { credentials, database }: RedisLogin): Promise<void> {
  await authenticate(ask, credentials);
  if (database !== 0) await select(ask, database);
  const named = await ask({ name: "CLIENT", args: ["SETNAME", "leadline"] });
  if (named.status === "failed" && !keepsUsNameless.test(named.error.message)) throw named.error;
}

async function authenticate(ask: Ask, { username, password }: RedisCredentials): Promise<void> {
  if (username === undefined && password === undefined) return;
  const login = username === undefined ? [password ?? ""] : [username, password ?? ""];
  const reply = await ask({ name: "AUTH", args: login });
  // A password that the server does not ask for yet does no harm: clients are given a new one before their server.
  if (reply.status === "answered" || needsNoPassword.test(reply.error.message)) return;
  // Without the cause: ioredis hangs the command on it, password and all.
  throw new RedisDialError(findingFromRedisError(reply.error));
}

async function select(ask: Ask, database: number): Promise<void> {
  const reply = await ask({ name: "SELECT", args: [database] });
  if (reply.status === "failed") {
    if (!/\bNOPERM\b/u.test(reply.error.message)) throw reply.error;
    throw new RedisDialError({ code: "PermissionDenied", finding: selectDenied });
  }
  if (reply.value === "OK") return;
  const finding = "the server does not confirm the database that the URL names";
  throw new RedisDialError({ code: "DataLoss", finding });
}

const selectDenied =
  "the Redis user has no right to choose the database that the URL names (NOPERM for SELECT)";
