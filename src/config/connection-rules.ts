import { parseRedisUrl } from "../connections/redis/config.ts";
import type { RedisConfig } from "../connections/redis/config.ts";
import { errorFromUnknown } from "../runtime/errors.ts";
import type { Secret } from "../runtime/secret.ts";
import type { Problem } from "./diagnostics.ts";
import { errorAt } from "./diagnostics.ts";
import type { FilePart } from "./file-part.ts";
import { redisSecrets } from "./redis-secrets.ts";
import type { ConnectionConfig } from "./schema.ts";
import type { SecretSources } from "./secrets.ts";

/** Everything about connections that their schema cannot tell: names used twice, secrets that cannot be read, one server under two names. */
export function connectionProblems(
  connections: readonly FilePart<ConnectionConfig>[],
  sources: SecretSources,
): readonly Problem[] {
  return [
    ...duplicateNames(connections),
    ...connections.flatMap((connection) => secretProblems(connection.at("redis"), sources)),
    ...sharedServers(connections),
  ];
}

/** The name of a connection as written, acceptable or not: what refers to it is not wrong for that. */
export function writtenName(connection: FilePart<ConnectionConfig>): string | undefined {
  const { raw } = connection.at("name");
  return typeof raw === "string" ? raw : undefined;
}

function duplicateNames(connections: readonly FilePart<ConnectionConfig>[]): readonly Problem[] {
  const seen = new Set<string>();
  return connections.flatMap((connection) => {
    const name = writtenName(connection);
    if (name === undefined) return [];
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    // A name that is no DNS label was reported as such and may be anything, so it is not repeated here.
    return [errorAt(connection.at("name").path, "another connection has this name")];
  });
}

function secretProblems(
  redis: FilePart<RedisConfig | undefined>,
  sources: SecretSources,
): readonly Problem[] {
  const tls = redis.at("tls");
  const references = {
    username: redis.at("username").value,
    password: redis.at("password").value,
    tls: {
      caFile: tls.at("caFile").value,
      certFile: tls.at("certFile").value,
      keyFile: tls.at("keyFile").value,
    },
  };
  return redisSecrets(references, sources).flatMap(({ key, secret }) => {
    const finding = readFinding(secret);
    return finding === undefined ? [] : [errorAt([...redis.path, ...key], finding)];
  });
}

function readFinding(secret: Secret): string | undefined {
  try {
    secret.read();
    return undefined;
  } catch (reason) {
    return errorFromUnknown(reason).message;
  }
}

/** Two clients to one server are seldom meant: everything on it could share one. Not an error, because their users may differ. */
function sharedServers(connections: readonly FilePart<ConnectionConfig>[]): readonly Problem[] {
  const names = new Map<string, string>();
  return connections.flatMap((connection) => {
    const name = connection.at("name").value;
    const url = connection.at("redis").at("url");
    const username = connection.at("redis").at("username");
    const result = parseRedisUrl(url.value ?? "");
    if (result.status !== "parsed" || name === undefined || !username.isKnown) return [];
    const server = JSON.stringify([result.address, username.value]);
    const first = names.get(server);
    names.set(server, first ?? name);
    if (first === undefined || first === name) return [];
    const message = `the same server as connection "${first}": one connection can serve both`;
    return [{ severity: "warning", path: url.path, message }];
  });
}
