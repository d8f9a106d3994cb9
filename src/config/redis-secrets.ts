import type { RedisConfig } from "../connections/redis/config.ts";
import type { SecretRef } from "../schema/secret-ref.ts";
import type { Secret } from "../runtime/secret.ts";
import type { ConfigPath } from "./diagnostics.ts";
import type { SecretSources } from "./secrets.ts";
import { fileSecret, plainSecret, resolveSecret } from "./secrets.ts";

/** What a Redis connection reads at run time, by its place under the connection's `redis` key. */
export interface RedisSecret {
  readonly name: "username" | "password" | "ca" | "cert" | "key";
  /** Place of the reference below `redis`. */
  readonly key: ConfigPath;
  readonly secret: Secret;
}

const tlsFiles = { ca: "caFile", cert: "certFile", key: "keyFile" } as const;

/** The parts of a Redis connection's configuration that name something to read. */
export interface RedisReferences {
  readonly username?: RedisConfig["username"];
  readonly password?: RedisConfig["password"];
  readonly tls?: RedisConfig["tls"];
}

/** Everything that a Redis connection has to read besides the configuration: credentials, certificates, keys. */
export function redisSecrets(
  config: RedisReferences,
  sources: SecretSources,
): readonly RedisSecret[] {
  const secrets: RedisSecret[] = [];
  const { username, password, tls } = config;
  if (username !== undefined) {
    const isText = typeof username === "string";
    const secret = isText ? plainSecret(username) : resolveSecret(username, sources);
    const key = isText ? ["username"] : ["username", keyOf(username)];
    secrets.push({ name: "username", key, secret });
  }
  if (password !== undefined) {
    const secret = resolveSecret(password, sources);
    secrets.push({ name: "password", key: ["password", keyOf(password)], secret });
  }
  for (const name of ["ca", "cert", "key"] as const) {
    const file = tls?.[tlsFiles[name]];
    if (file === undefined) continue;
    secrets.push({
      name,
      key: ["tls", tlsFiles[name]],
      secret: fileSecret(file, sources.readFile),
    });
  }
  return secrets;
}

function keyOf(reference: SecretRef): string {
  return reference.env === undefined ? "file" : "env";
}
