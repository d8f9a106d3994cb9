import { parseRedisUrl } from "../connections/redis/config.ts";
import type { RedisConfig } from "../connections/redis/config.ts";
import { errorFromUnknown } from "../runtime/errors.ts";
import type { Secret } from "../runtime/secret.ts";
import { isRecord } from "../schema/exactly-one-key.ts";
import type { ConfigPath, Problem } from "./diagnostics.ts";
import { errorAt } from "./diagnostics.ts";
import type { Section } from "./file-section.ts";
import { parsedSections } from "./file-section.ts";
import { redisSecrets } from "./redis-secrets.ts";
import type { ConnectionConfig } from "./schema.ts";
import type { SecretSources } from "./secrets.ts";

/** Everything about connections that their schema cannot tell: names used twice, secrets that cannot be read, one server under two names. */
export function connectionProblems(
  sections: readonly Section<ConnectionConfig>[],
  sources: SecretSources,
): readonly Problem[] {
  return [
    ...duplicateNames(sections),
    ...parsedSections(sections).flatMap(({ path, config }) =>
      config.redis === undefined ? [] : secretProblems([...path, "redis"], config.redis, sources),
    ),
    ...sharedServers(sections),
  ];
}

/** The name of a section as written, whether or not the rest of it is acceptable. */
export function writtenName(section: Section<unknown>): string | undefined {
  const { raw } = section;
  return isRecord(raw) && typeof raw["name"] === "string" ? raw["name"] : undefined;
}

function duplicateNames(sections: readonly Section<unknown>[]): readonly Problem[] {
  const seen = new Set<string>();
  return sections.flatMap((section) => {
    const name = writtenName(section);
    if (name === undefined) return [];
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    // A name that is no DNS label was reported as such and may be anything, so it is not repeated here.
    return [errorAt([...section.path, "name"], "another connection has this name")];
  });
}

function secretProblems(
  path: ConfigPath,
  config: RedisConfig,
  sources: SecretSources,
): readonly Problem[] {
  return redisSecrets(config, sources).flatMap(({ key, secret }) => {
    const finding = readFinding(secret);
    return finding === undefined ? [] : [errorAt([...path, ...key], finding)];
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
function sharedServers(sections: readonly Section<ConnectionConfig>[]): readonly Problem[] {
  const names = new Map<string, string>();
  return parsedSections(sections).flatMap(({ path, config }) => {
    const result = parseRedisUrl(config.redis?.url ?? "");
    if (result.status !== "parsed") return [];
    const server = JSON.stringify([result.address, config.redis?.username]);
    const first = names.get(server);
    names.set(server, first ?? config.name);
    if (first === undefined || first === config.name) return [];
    const message = `the same server as connection "${first}": one connection can serve both`;
    return [{ severity: "warning", path: [...path, "redis", "url"], message }];
  });
}
