import * as z from "zod";
import { filePathSchema, textSchema } from "../../schema/fields.ts";
import { secretRefSchema } from "../../schema/secret-ref.ts";
import { bothOrNeither, wholeMapCheck } from "../../schema/whole-map-check.ts";

/** What a Redis URL says (IANA provisional schemes `redis` and `rediss`): where the server is, never who we are. */
export interface RedisAddress {
  readonly host: string;
  /** Default 6379. */
  readonly port: number;
  /** Number of the database. Default 0. */
  readonly database: number;
  /** `rediss`: TLS. */
  readonly isTls: boolean;
}

/** A Redis address, or why the text is none. The message never quotes the text, which may hold a password. */
export type RedisUrlResult =
  | { readonly status: "parsed"; readonly address: RedisAddress }
  | { readonly status: "rejected"; readonly message: string };

const urlForm = "redis://HOST[:PORT][/DATABASE] or rediss://HOST[:PORT][/DATABASE]";

/** Reads `redis://` and `rediss://` URLs. User names and passwords are refused: they have their own keys. */
export function parseRedisUrl(text: string): RedisUrlResult {
  // Looked for in the text, before parsing: a password with '/', '?' or '#' ends the authority early and would hide there.
  if (text.includes("@"))
    return rejected("the url holds a user name or password; use username and password");
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) return rejected(`the url is none; expected ${urlForm}`);
  const fault = faultOf(url);
  if (fault !== undefined) return rejected(fault);
  return {
    status: "parsed",
    address: {
      // An IPv6 host stands in brackets in a URL and without them elsewhere (RFC 3986, 3.2.2).
      host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
      port: Number(url.port || "6379"),
      database: Number(url.pathname.slice(1)),
      isTls: url.protocol === "rediss:",
    },
  };
}

function faultOf(url: URL): string | undefined {
  if (!["redis:", "rediss:"].includes(url.protocol))
    return `the url has another scheme; expected ${urlForm}`;
  if (url.hostname === "") return `the url names no host; expected ${urlForm}`;
  if (url.search !== "" || url.hash !== "")
    return `the url has more than an address; expected ${urlForm}`;
  if (!/^\/?\d{0,5}$/.test(url.pathname)) return "the url names a database that is not a number";
  return undefined;
}

function rejected(message: string): RedisUrlResult {
  return { status: "rejected", message };
}

const urlSchema = z.string({ error: urlForm }).superRefine((text, context) => {
  const result = parseRedisUrl(text);
  if (result.status === "rejected") context.addIssue({ code: "custom", message: result.message });
});

const tlsSchema = z
  .strictObject({
    /** PEM of the authorities to trust. Default: the system's. */
    caFile: filePathSchema().optional(),
    /** PEM of our client certificate, with `keyFile`. Default: none. */
    certFile: filePathSchema().optional(),
    /** PEM of the private key of `certFile`. */
    keyFile: filePathSchema().optional(),
    /** Name that the server's certificate must carry. Default: the host of the URL. */
    serverName: textSchema(/^[A-Za-z0-9.:_-]+$/, 253, "a host name").optional(),
  })
  .check(bothOrNeither("certFile", "keyFile"));

/** The `redis` key of a connection: one server. `sentinel` and `cluster` will be further keys of the connection's union. */
export const redisConfigSchema = z
  .strictObject({
    url: urlSchema,
    /** ACL user (Redis 6). Text or a reference. Default: the server's `default` user. */
    username: z
      .union([textSchema(/^\S+$/, 256, "a user name"), secretRefSchema], {
        error: "a user name, { env: NAME } or { file: PATH }",
      })
      .optional(),
    /** Default: none. */
    password: secretRefSchema.optional(),
    /** Details of TLS; only with a `rediss://` URL. Default: the system's authorities, the URL's host. */
    tls: tlsSchema.optional(),
  })
  .check(
    wholeMapCheck(({ url, tls }) => {
      if (typeof url !== "string" || tls === undefined) return undefined;
      const result = parseRedisUrl(url);
      if (result.status !== "parsed" || result.address.isTls) return undefined;
      return { key: "tls", message: "needs a rediss:// url" };
    }),
  );

/** A Redis server as parsed; secrets are references. */
export type RedisConfig = z.output<typeof redisConfigSchema>;
