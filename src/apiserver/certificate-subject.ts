import type { X509Certificate } from "node:crypto";

/** What a certificate says its owner is called. */
export interface CertificateSubject {
  /** The last common name, as Go's pkix.Name takes it; empty when there is none. */
  readonly commonName: string;
  /** Every organization, in order. */
  readonly organizations: readonly string[];
}

/**
 * Reads the subject. The multi-line text that `X509Certificate.subject` offers escapes and joins values; the legacy object holds each value of each
 * attribute as OpenSSL decoded it, so no text has to be taken apart.
 */
export function subjectFromCertificate(certificate: X509Certificate): CertificateSubject {
  // Typed as `object` or as single strings depending on the release; attributes that occur more than once are arrays.
  const subject: Readonly<Record<string, unknown>> = {
    ...(certificate.toLegacyObject().subject as object | undefined),
  };
  return {
    commonName: textValues(subject["CN"]).at(-1) ?? "",
    organizations: textValues(subject["O"]),
  };
}

function textValues(value: unknown): readonly string[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((entry) => typeof entry === "string");
}
