import type { IncomingMessage } from "node:http";
import type { UserInfo } from "./authenticator.ts";
import type { RequestHeaderConfig } from "./authentication-config.ts";

/** Names in lower case with their values as they came, in order: name, value, name, value. */
export type IdentityHeaders = readonly string[];

/** Every header that starts so is an identity header, configured or not: nothing behind authentication may ever see a forged one. */
const reservedPrefix = "x-remote-";

/**
 * Takes the identity headers out of the request, from `headers`, `headersDistinct` and `rawHeaders` alike, and returns them. Raw headers are
 * read because `headers` joins repeated ones with commas, and a group's name may hold a comma.
 */
export function takeIdentityHeaders(
  request: IncomingMessage,
  config: RequestHeaderConfig | undefined,
): IdentityHeaders {
  const { rawHeaders } = request;
  const taken: string[] = [];
  const kept: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const original = rawHeaders[index] ?? "";
    const value = rawHeaders[index + 1] ?? "";
    const name = original.toLowerCase();
    if (isIdentityHeader(name, config)) taken.push(name, value);
    else kept.push(original, value);
  }
  if (taken.length === 0) return taken;
  // Both dictionaries are built lazily from the raw list, by the count it had: they are taken before it changes.
  const { headers, headersDistinct } = request;
  request.rawHeaders = kept;
  for (let index = 0; index < taken.length; index += 2) {
    const name = taken[index] ?? "";
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- the request's own dictionaries are what has to lose them
    delete headers[name];
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- as above
    delete headersDistinct[name];
  }
  return taken;
}

function isIdentityHeader(name: string, config: RequestHeaderConfig | undefined): boolean {
  if (name.startsWith(reservedPrefix)) return true;
  if (config === undefined) return false;
  return (
    includesName(config.usernameHeaders, name) ||
    includesName(config.groupHeaders, name) ||
    includesName(config.uidHeaders, name) ||
    config.extraHeaderPrefixes.some((prefix) => name.startsWith(prefix))
  );
}

function includesName(names: readonly string[], name: string): boolean {
  for (const candidate of names) if (candidate === name) return true;
  return false;
}

/** The configuration with header names and prefixes in lower case, as {@link takeIdentityHeaders} compares them; empty ones are dropped. */
export function withLowerCaseHeaders(config: RequestHeaderConfig): RequestHeaderConfig {
  const lower = (names: readonly string[]): readonly string[] =>
    names.filter((name) => name !== "").map((name) => name.toLowerCase());
  return {
    ...config,
    usernameHeaders: lower(config.usernameHeaders),
    uidHeaders: lower(config.uidHeaders),
    groupHeaders: lower(config.groupHeaders),
    extraHeaderPrefixes: lower(config.extraHeaderPrefixes),
  };
}

/**
 * The user that the headers tell of, or undefined when they name none (upstream: apiserver `request/headerrequest/requestheader.go`). The caller has
 * proven that a front proxy sent them.
 */
export function userFromIdentityHeaders(
  headers: IdentityHeaders,
  config: RequestHeaderConfig,
): UserInfo | undefined {
  const name = config.usernameHeaders.flatMap((header) => valuesOf(headers, header))[0];
  if (name === undefined) return undefined;
  const uid = config.uidHeaders.flatMap((header) => valuesOf(headers, header))[0];
  return {
    name,
    ...(uid === undefined ? {} : { uid }),
    groups: config.groupHeaders.flatMap((header) => valuesOf(headers, header)),
    extra: extraOf(headers, config.extraHeaderPrefixes),
  };
}

function valuesOf(headers: IdentityHeaders, wanted: string): readonly string[] {
  const values: string[] = [];
  for (let index = 0; index < headers.length; index += 2) {
    const value = headers[index + 1];
    if (headers[index] === wanted && value !== undefined && value !== "") {
      values.push(utf8FromLatin1(value));
    }
  }
  return values;
}

function extraOf(
  headers: IdentityHeaders,
  prefixes: readonly string[],
): Readonly<Record<string, readonly string[]>> {
  const extra = new Map<string, string[]>();
  for (const prefix of prefixes) {
    for (let index = 0; index < headers.length; index += 2) {
      const name = headers[index] ?? "";
      if (!name.startsWith(prefix)) continue;
      const key = percentDecoded(name.slice(prefix.length));
      const values = extra.get(key) ?? [];
      values.push(utf8FromLatin1(headers[index + 1] ?? ""));
      extra.set(key, values);
    }
  }
  // fromEntries defines own properties, so a key such as __proto__ stays an ordinary key.
  return Object.fromEntries(extra);
}

/** A key that does not decode stays as it is (upstream: unescapeExtraKey). */
function percentDecoded(key: string): string {
  if (!key.includes("%")) return key;
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

const beyondAscii = /[\u0080-\u00ff]/u;

/** Node hands header bytes over as Latin-1; Kubernetes sends UTF-8. Bytes that are not UTF-8 become U+FFFD. */
function utf8FromLatin1(value: string): string {
  return beyondAscii.test(value) ? Buffer.from(value, "latin1").toString("utf8") : value;
}
