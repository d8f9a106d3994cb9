import * as z from "zod";
import { maxExpressionLength } from "./environment.ts";
import { exactlyOneKey, isRecord } from "../schema/exactly-one-key.ts";
import { dnsLabelSchema, dnsSubdomainSchema, secondsSchema, textSchema } from "../schema/fields.ts";

const quantityForm = 'an integer of 0 or more, or a Quantity string, e.g. 3, "1500m"';

/** A Kubernetes Quantity in a file: whole numbers may be written bare, anything else as text. Which texts are Quantities is checked when it is loaded. */
export const quantitySchema = z.union(
  [
    z.int({ error: quantityForm }).min(0, { error: quantityForm }),
    textSchema(/^\S+$/, 64, quantityForm),
  ],
  { error: quantityForm },
);

const metricSchema = z.strictObject({
  /** Name in `external.metrics.k8s.io`. Default: `metadata.name`. */
  name: textSchema(
    /^[!-~]+$/,
    253,
    "a metric name: printable ASCII without spaces, 1 to 253 characters",
  ).optional(),
  /** Labels for an HPA's `metric.selector`. Default: none. */
  labels: z
    .record(z.string(), z.string({ error: 'text in quotes, e.g. "1"' }), {
      error: "a map of texts",
    })
    .default({}),
});

const workloadRefSchema = z.strictObject({
  apiVersion: textSchema(/^\S+$/, 253, "an API version, e.g. apps/v1"),
  kind: textSchema(/^[A-Z][A-Za-z0-9]*$/, 63, "a kind, e.g. Deployment"),
  name: dnsSubdomainSchema(),
});

const valueKeys = ["expression"];
const valueSchema = z
  .strictObject({
    /** CEL over the inputs' fields, e.g. `jobs.backlog`. */
    expression: z
      .string({ error: "a CEL expression, e.g. jobs.backlog" })
      .regex(/\S/, { error: "a CEL expression, e.g. jobs.backlog" })
      .max(maxExpressionLength, {
        error: `a CEL expression of at most ${maxExpressionLength} characters`,
      })
      .optional(),
  })
  .check(exactlyOneKey(valueKeys));

const modifiersSchema = z.strictObject({
  /** The value is never below. Default: no bound. */
  minimum: quantitySchema.optional(),
  /** The value is never above. Default: no bound. */
  maximum: quantitySchema.optional(),
});

const policies = ["Error", "Hold", "Value"] as const;
const onUnavailableSchema = z
  .strictObject({
    /** Default `Error`. */
    policy: z.enum(policies, { error: policies.join(", ") }).default("Error"),
    /** How long `Hold` holds the last value. No default. */
    holdSeconds: secondsSchema({ minimum: 1, maximum: 86_400, example: 300 }).optional(),
    /** What `Value` serves. No default. */
    value: quantitySchema.optional(),
  })
  .check(settingsOfPolicy());

/** `holdSeconds` belongs to `Hold` and `value` to `Value`: each needed there, and an error elsewhere. Runs also when other keys are wrong. */
function settingsOfPolicy<T>(): z.core.$ZodCheck<T> {
  const check = z.check<T>((payload) => {
    const config: unknown = payload.value;
    if (!isRecord(config) || !policies.some((policy) => policy === config["policy"])) return;
    for (const [key, owner] of [
      ["holdSeconds", "Hold"],
      ["value", "Value"],
    ] as const) {
      const isNeeded = config["policy"] === owner;
      if (isNeeded === (config[key] !== undefined)) continue;
      const message = isNeeded ? `policy ${owner} needs ${key}` : `is only for policy ${owner}`;
      const path = isNeeded ? [] : [key];
      payload.issues.push({ code: "custom", path, input: config, message });
    }
  });
  check._zod.def.when = () => true;
  return check;
}

/**
 * The schema of one signal, over the schema of its inputs (which the sources define).
 */
// eslint-disable-next-line @typescript-eslint/explicit-module-boundary-types -- the type of a zod schema is its own text again
export function createSignalConfigSchema<Input extends z.ZodType>(inputSchema: Input) {
  const inputs = "a list of 1 to 16 inputs";
  return z.strictObject({
    metadata: z.strictObject({ namespace: dnsLabelSchema(), name: dnsSubdomainSchema() }),
    spec: z.strictObject({
      /** What the HPA asks for. Default: `metadata.name`, no labels. */
      metric: metricSchema.prefault({}),
      /** The workload that the signal scales. Default: none. */
      workloadRef: workloadRefSchema.optional(),
      inputs: z
        .array(inputSchema, { error: inputs })
        .min(1, { error: inputs })
        .max(16, { error: inputs }),
      value: valueSchema,
      /** Applied after the value is computed. Default: none. */
      modifiers: modifiersSchema.prefault({}),
      /** What a read answers while the value is unavailable. Default: an error. */
      onUnavailable: onUnavailableSchema.prefault({}),
    }),
  });
}
