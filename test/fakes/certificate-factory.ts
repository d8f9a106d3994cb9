import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

x509.cryptoProvider.set(webcrypto as Crypto);

/** What a test certificate says; everything else is as a careful authority would do it. */
export interface TestCertificateRequest {
  readonly subject: x509.JsonName;
  /** Self-signed when absent. */
  readonly issuer?: TestCertificate;
  readonly isAuthority?: boolean;
  readonly pathLength?: number;
  /** Extended key usages by OID; absent leaves the extension out. */
  readonly extendedKeyUsages?: readonly string[];
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
}

export interface TestCertificate {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  readonly certificate: x509.X509Certificate;
  readonly keys: CryptoKeyPair;
}

export const oids = {
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
  any: "2.5.29.37.0",
} as const;

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const hour = 3_600_000;

/** Makes certificates that `createAuthority` rightly cannot: intermediates, odd names, missing extensions. */
export async function makeCertificate(request: TestCertificateRequest): Promise<TestCertificate> {
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, [
    "sign",
    "verify",
  ])) as CryptoKeyPair;
  const { issuer, isAuthority = false, extendedKeyUsages } = request;
  const nowMs = Date.now();
  const certificate = await x509.X509CertificateGenerator.create({
    subject: request.subject,
    issuer: issuer?.certificate.subjectName.toJSON() ?? request.subject,
    notBefore: new Date(request.notBeforeMs ?? nowMs - hour),
    notAfter: new Date(request.notAfterMs ?? nowMs + hour),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(isAuthority, request.pathLength, true),
      new x509.KeyUsagesExtension(
        isAuthority ? x509.KeyUsageFlags.keyCertSign : x509.KeyUsageFlags.digitalSignature,
        true,
      ),
      ...(extendedKeyUsages === undefined
        ? []
        : [new x509.ExtendedKeyUsageExtension([...extendedKeyUsages])]),
    ],
  });
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    certificatePem: `${certificate.toString("pem")}\n`,
    privateKeyPem: `${x509.PemConverter.encode(pkcs8, "PRIVATE KEY")}\n`,
    certificate,
    keys,
  };
}
