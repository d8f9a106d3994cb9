import { parseRedisUrl } from "../connections/redis/config.ts";
import type { RedisConfig } from "../connections/redis/config.ts";
import type { RedisConnectionOptions } from "../connections/redis/options.ts";
import type { RedisSecret } from "./redis-secrets.ts";
import { redisSecrets } from "./redis-secrets.ts";
import type { SecretSources } from "./secrets.ts";

/** What the client of a Redis connection needs; credentials and certificates are functions that read them anew. Throws for a url that the schema refuses. */
export function redisOptions(
  name: string,
  config: RedisConfig,
  sources: SecretSources,
): RedisConnectionOptions {
  const result = parseRedisUrl(config.url);
  if (result.status === "rejected") throw new Error(`connection "${name}": ${result.message}`);
  const readers: Partial<Record<RedisSecret["name"], () => string>> = {};
  for (const { name: secretName, secret } of redisSecrets(config, sources)) {
    readers[secretName] = () => secret.read();
  }
  const { username, password, ...pem } = readers;
  const serverName = config.tls?.serverName;
  return {
    name,
    address: result.address,
    ...(username && { username }),
    ...(password && { password }),
    ...(config.tls && { tls: { ...pem, ...(serverName !== undefined && { serverName }) } }),
  };
}
