import { describe, expect, test } from "vitest";
import {
  findingFromRedisError,
  RedisDialError,
  sourceErrorFromRedis,
} from "../../../../src/connections/redis/errors.ts";
import type { SourceErrorCode } from "../../../../src/model/source-error.ts";

function withCode(code: string): Error {
  return Object.assign(new Error(`connect ${code} 10.1.2.3:6379`), { code });
}

describe("an error reply means", () => {
  // Texts as Redis 6.2 and 7 send them (upstream: src/server.c, src/acl.c, src/script.c, src/networking.c).
  test.each<[string, SourceErrorCode]>([
    ["WRONGPASS invalid username-password pair or user is disabled.", "Unauthenticated"],
    ["ERR invalid password", "Unauthenticated"],
    ["NOAUTH Authentication required.", "Unauthenticated"],
    [
      "ERR AUTH <password> called without any password configured for the default user.",
      "Unauthenticated",
    ],
    ["NOPERM this user has no permissions to run the 'evalsha' command", "PermissionDenied"],
    ["NOPERM User reader has no permissions to run the 'evalsha' command", "PermissionDenied"],
    [
      "NOPERM this user has no permissions to access one of the keys used as arguments",
      "PermissionDenied",
    ],
    [
      "ERR ACL failure in script: User reader has no permissions to run the 'llen' command",
      "PermissionDenied",
    ],
    [
      "NOPERM ACL failure in script: The user executing the script can't run this command or subcommand",
      "PermissionDenied",
    ],
    [
      "The user executing the script can't access at least one of the keys mentioned in the command arguments",
      "PermissionDenied",
    ],
    [
      "DENIED Redis is running in protected mode because protected mode is enabled",
      "PermissionDenied",
    ],
    ["WRONGTYPE Operation against a key holding the wrong kind of value", "FailedPrecondition"],
    [
      "ERR Error running script (call to f_8a): @user_script:5: WRONGTYPE Operation against a key",
      "FailedPrecondition",
    ],
    ["MOVED 15495 127.0.0.1:7001", "FailedPrecondition"],
    ["ASK 15495 127.0.0.1:7001", "FailedPrecondition"],
    ["CROSSSLOT Keys in request don't hash to the same slot", "FailedPrecondition"],
    ["ERR unknown command 'EVALSHA', with args beginning with:", "FailedPrecondition"],
    ["ERR DB index is out of range", "InvalidArgument"],
    ["ERR SELECT is not allowed in cluster mode", "InvalidArgument"],
    ["ERR max number of clients reached", "ResourceExhausted"],
    ["OOM command not allowed when used memory > 'maxmemory'.", "ResourceExhausted"],
    ["LOADING Redis is loading the dataset in memory", "Unavailable"],
    [
      "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
      "Unavailable",
    ],
    ["CLUSTERDOWN Hash slot not served", "Unavailable"],
    ["TRYAGAIN Multiple keys request during rehashing of slot", "Unavailable"],
    [
      "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
      "Unavailable",
    ],
    ["NOSCRIPT No matching script. Please use EVAL.", "Unavailable"],
    ["ERR something that nobody has seen yet", "Unavailable"],
  ])("%s: %s", (message, code) => {
    expect(findingFromRedisError(new Error(message)).code).toBe(code);
  });
});

describe("a failed socket means", () => {
  test.each<[string, SourceErrorCode]>([
    ["ECONNREFUSED", "Unavailable"],
    ["ECONNRESET", "Unavailable"],
    ["ENOTFOUND", "Unavailable"],
    ["EAI_AGAIN", "Unavailable"],
    ["EHOSTUNREACH", "Unavailable"],
    ["EPIPE", "Unavailable"],
    ["EMFILE", "Unavailable"],
    ["ETIMEDOUT", "DeadlineExceeded"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "FailedPrecondition"],
    ["SELF_SIGNED_CERT_IN_CHAIN", "FailedPrecondition"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "FailedPrecondition"],
    ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "FailedPrecondition"],
    ["CERT_HAS_EXPIRED", "FailedPrecondition"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "FailedPrecondition"],
    ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "FailedPrecondition"],
    ["ERR_OSSL_PEM_NO_START_LINE", "FailedPrecondition"],
    ["EPROTO", "FailedPrecondition"],
  ])("%s: %s, and is named", (node, code) => {
    const finding = findingFromRedisError(withCode(node));
    expect(finding.code).toBe(code);
    expect(finding.finding).toContain(`(${node})`);
  });

  test.each([
    ["Connection is closed.", "connection closed"],
    ["Command aborted due to connection close", "connection closed"],
    ["Stream isn't writeable and enableOfflineQueue options is false", "connection closed"],
  ])("%s without a cause: Unavailable", (message, finding) => {
    expect(findingFromRedisError(new Error(message))).toEqual({ code: "Unavailable", finding });
  });

  test("a deadline of ours: DeadlineExceeded with its length", () => {
    const error = new DOMException("no answer within 50 ms", "TimeoutError");
    expect(findingFromRedisError(error)).toEqual({
      code: "DeadlineExceeded",
      finding: "no answer within 50 ms",
    });
  });

  test("bytes that are not the protocol: DataLoss", () => {
    const error = new Error('Unknown RESP type 72 "H". Please report this.');
    expect(findingFromRedisError(error).code).toBe("DataLoss");
  });
});

test("a message names connection, thing and finding, and neither address, user nor secret", () => {
  const subject = { connection: "jobs", thing: 'queue "orders"' };
  expect(sourceErrorFromRedis(withCode("ECONNREFUSED"), subject).message).toBe(
    'connection "jobs": queue "orders": connection refused (ECONNREFUSED)',
  );
  const denied = new Error("NOPERM User hunter2 has no permissions to run the 'llen' command");
  expect(sourceErrorFromRedis(denied, subject).message).toBe(
    'connection "jobs": queue "orders": the Redis user has no right to a command that the read needs (NOPERM)',
  );
  const moved = new Error("MOVED 15495 10.1.2.3:7001");
  expect(sourceErrorFromRedis(moved, { connection: "jobs" }).message).not.toContain("10.1.2.3");
});

test("a failed dial keeps its code and finding for every read, and its cause for logs", () => {
  const cause = withCode("ECONNREFUSED");
  const dial = new RedisDialError(findingFromRedisError(cause), { cause });
  const error = sourceErrorFromRedis(dial, { connection: "jobs", thing: 'queue "orders"' });
  expect(error.code).toBe("Unavailable");
  expect(error.permanence).toBe("transient");
  expect(error.message).toContain("ECONNREFUSED");
  expect(error.cause).toBe(dial);
  expect(dial.cause).toBe(cause);
});
