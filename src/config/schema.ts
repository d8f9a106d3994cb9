import * as z from "zod";
import { redisConfigSchema } from "../connections/redis/config.ts";
import {
  bindAddressSchema,
  dnsLabelSchema,
  filePathSchema,
  portSchema,
  secondsSchema,
  textSchema,
} from "../schema/fields.ts";
import { exactlyOneKey } from "../schema/exactly-one-key.ts";
import { pollingSchema } from "../schema/polling.ts";
import { bothOrNeither } from "../schema/whole-map-check.ts";
import { createSignalConfigSchema } from "../signals/config.ts";
import { sourceInputShape, sourceTypeNames } from "../sources/schema.ts";

/** Which namespaces' ScalingSignals may read which keys; patterns with `*`. The file's own signals need no rule. */
const allowRuleSchema = z.strictObject({
  /** Names, or `*` for all. */
  namespaces: z
    .array(textSchema(/^(?:\*|[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)$/, 63, 'a namespace, or "*"'), {
      error: "a list of namespaces",
    })
    .min(1, { error: "a list of namespaces, not empty" }),
  /** Redis keys, e.g. `bull:docling*`. */
  keys: z
    .array(textSchema(/^\P{Cc}+$/u, 512, "a pattern of keys, e.g. bull:docling*"), {
      error: "a list of key patterns",
    })
    .min(1, { error: "a list of key patterns, not empty" }),
});

/** The keys of a connection's union. */
const connectionShape = { redis: redisConfigSchema.optional() };

/** One of `connections`: a name and exactly one kind. */
export const connectionSchema = z
  .strictObject({
    name: dnsLabelSchema(),
    ...connectionShape,
    /** Default: no namespace's ScalingSignals may use it. Not used yet. */
    allow: z.array(allowRuleSchema, { error: "a list of rules" }).default([]),
    /** For every input of this connection. Default: the source's own. */
    polling: pollingSchema.prefault({}),
  })
  .check(exactlyOneKey(Object.keys(connectionShape)));

/** One input of a signal: a name for expressions and exactly one source. */
export const inputSchema = z
  .strictObject({
    name: textSchema(/^[A-Za-z_][A-Za-z0-9_]*$/, 63, "a CEL identifier, e.g. jobs"),
    ...sourceInputShape,
  })
  .check(exactlyOneKey(sourceTypeNames));

/** One of `signals`: a ScalingSignal without `apiVersion` and `kind`. */
export const signalSchema = createSignalConfigSchema(inputSchema);

const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

/**
 * The aggregated API's listener. Command-line flags of the same names win, and the defaults depend on the mode of the process: so an absent
 * key stays absent here.
 */
export const serverSchema = z
  .strictObject({
    /** Default 0.0.0.0; loopback in standalone mode. */
    bindAddress: bindAddressSchema().optional(),
    /** Default 6443. */
    securePort: portSchema().optional(),
    /** PEM of the serving certificate, with `tlsPrivateKeyFile`; read again when it changes. Default: none. */
    tlsCertFile: filePathSchema().optional(),
    /** PEM of its private key. */
    tlsPrivateKeyFile: filePathSchema().optional(),
    /** Time between a red `/readyz` and the closing of the listener. Default 15. */
    shutdownDelaySeconds: secondsSchema({ minimum: 0, maximum: 600, example: 15 }).optional(),
    /** Lines below this level are not logged. Names are pino's. Default info. */
    logLevel: z.enum(logLevels, { error: logLevels.join(", ") }).optional(),
  })
  .check(bothOrNeither("tlsCertFile", "tlsPrivateKeyFile"));

const switchSchema = z.strictObject({
  enabled: z.boolean({ error: "true or false" }).default(false),
});

/** The ops port: plain HTTP, metrics and health. Command-line flags win; absent as in {@link serverSchema}. */
export const opsSchema = z.strictObject({
  /** Default 0.0.0.0; loopback in standalone mode. */
  bindAddress: bindAddressSchema().optional(),
  /** Default 8080. */
  port: portSchema().optional(),
  /** `GET /api/v1/signals` on an address beyond loopback. Default: only on loopback. */
  api: switchSchema.prefault({}),
  /** The console on an address beyond loopback. Default: only on loopback. Not used yet. */
  console: switchSchema.prefault({}),
});

/** The whole of `leadline.yaml`: the source of every generated schema. All defaults are stated here and in the parts. */
export const configSchema = z.strictObject({
  connections: z.array(connectionSchema, { error: "a list of connections" }).default([]),
  signals: z.array(signalSchema, { error: "a list of signals" }).default([]),
  server: serverSchema.prefault({}),
  ops: opsSchema.prefault({}),
});

/** The whole file as parsed. */
export type Config = z.output<typeof configSchema>;
/** A connection as parsed. */
export type ConnectionConfig = z.output<typeof connectionSchema>;
/** An input as parsed. */
export type InputConfig = z.output<typeof inputSchema>;
/** A signal as parsed. */
export type SignalConfig = z.output<typeof signalSchema>;
/** Settings of the aggregated API's listener as far as the file gives them. */
export type ServerConfig = z.output<typeof serverSchema>;
/** Settings of the ops port as far as the file gives them. */
export type OpsConfig = z.output<typeof opsSchema>;
