import { isIP } from "node:net";
import * as z from "zod";

/*
 * Field types that several parts of the configuration share. The `error` of each says what is allowed; the loader puts what was found in
 * front of it. A refinement whose error is of that kind too carries `isAllowedText`; others are sentences of their own.
 */

/** Bounds of a number of seconds, both included. */
export interface SecondsBounds {
  readonly minimum: number;
  readonly maximum: number;
  readonly example: number;
}

/** A whole number of seconds within bounds. The unit is in the key's name, so `5s` is an error. */
export function secondsSchema({ minimum, maximum, example }: SecondsBounds): z.ZodInt {
  const error = `integer seconds, e.g. ${example} (${minimum} to ${maximum})`;
  return z.int({ error }).min(minimum, { error }).max(maximum, { error });
}

/** A TCP port; 0 takes any free one. */
export function portSchema(): z.ZodInt {
  const error = "a port number, 0 to 65535";
  return z.int({ error }).min(0, { error }).max(65_535, { error });
}

/** An address to listen on. */
export function bindAddressSchema(): z.ZodString {
  const error = "an IP address, e.g. 0.0.0.0 or ::1, or localhost";
  return z.string({ error }).refine((text) => isIP(text) !== 0 || text === "localhost", {
    error,
    params: { isAllowedText: true },
  });
}

/** Text that matches `pattern`, at most `maxLength` characters; `allowed` says so in words. */
export function textSchema(pattern: RegExp, maxLength: number, allowed: string): z.ZodString {
  return (
    z
      .string({ error: allowed })
      .max(maxLength, { error: allowed })
      .regex(pattern, { error: allowed })
      // Half of a surrogate pair has no UTF-8: the server would be asked for another name.
      .refine((text) => !/\p{Cs}/u.test(text), { error: allowed })
  );
}

/** A DNS label (RFC 1123): the names of connections and namespaces. */
export function dnsLabelSchema(): z.ZodString {
  const allowed = "a DNS label: lower-case letters, digits and '-', 1 to 63 characters";
  return textSchema(/^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/, 63, allowed);
}

/** A DNS subdomain (RFC 1123): the names of Kubernetes objects. */
export function dnsSubdomainSchema(): z.ZodString {
  const allowed = "a DNS subdomain: lower-case letters, digits, '-' and '.', 1 to 253 characters";
  const label = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?";
  return textSchema(new RegExp(`^${label}(?:\\.${label})*$`), 253, allowed);
}

/** Path of a file; relative ones start at the working directory of the process. */
export function filePathSchema(): z.ZodString {
  // eslint-disable-next-line no-control-regex -- a path with a control character is a mistake in the YAML
  return textSchema(/^[^\u0000-\u001f]+$/, 4096, "the path of a file");
}
