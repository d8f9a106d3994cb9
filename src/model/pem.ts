/** One certificate block of RFC 7468; text around blocks is explanatory and skipped. */
const certificateBlock = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/gu;

/** The certificate blocks of a PEM bundle, in order; empty when there are none. Nothing is decoded or checked. */
export function pemCertificates(bundle: string): readonly string[] {
  return bundle.match(certificateBlock) ?? [];
}
