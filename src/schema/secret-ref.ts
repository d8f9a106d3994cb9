import * as z from "zod";
import { exactlyOneKey } from "./exactly-one-key.ts";
import { filePathSchema, textSchema } from "./fields.ts";

/** A secret by reference: exactly one of `env` (name of an environment variable) and `file` (path; one trailing newline is dropped). */
export const secretRefSchema = z
  .strictObject(
    {
      env: textSchema(
        /^[A-Za-z_][A-Za-z0-9_]*$/,
        256,
        "the name of an environment variable",
      ).optional(),
      file: filePathSchema().optional(),
    },
    { error: "a reference, { env: NAME } or { file: PATH }; a secret is never written here" },
  )
  .check(exactlyOneKey(["env", "file"]));

/** A secret reference as parsed: exactly one key is set. */
export type SecretRef = z.output<typeof secretRefSchema>;
