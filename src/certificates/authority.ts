import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { dateFromMs } from "../model/timestamp.ts";

/** What a certificate may be used for: extended key usages of RFC 5280, section 4.2.1.12. */
export type CertificateUsage = "ServerAuth" | "ClientAuth";

/** What goes into a leaf certificate. */
export interface CertificateRequest {
  readonly commonName: string;
  /** Subject organizations; Kubernetes reads them as groups. */
  readonly organizations?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly usages: readonly CertificateUsage[];
  /** Start of validity, milliseconds since the epoch. */
  readonly notBeforeMs: number;
  /** End of validity, milliseconds since the epoch. */
  readonly notAfterMs: number;
}

/** A certificate and its private key (PKCS #8), both PEM. */
export interface KeyPair {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** A certificate authority held in memory: ECDSA P-256, SHA-256. */
export interface Authority {
  readonly certificatePem: string;
  /** Issues a leaf certificate with a key of its own. */
  issue(request: CertificateRequest): Promise<KeyPair>;
}

/** What a new authority is called and how long it lives (milliseconds since the epoch). */
export interface AuthorityOptions {
  readonly commonName: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const usageOids = {
  ServerAuth: x509.ExtendedKeyUsage.serverAuth,
  ClientAuth: x509.ExtendedKeyUsage.clientAuth,
} as const;

x509.cryptoProvider.set(webcrypto as Crypto);

function generateKeys(): Promise<CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, [
    "sign",
    "verify",
  ]) as Promise<CryptoKeyPair>;
}

async function privateKeyPem(keys: CryptoKeyPair): Promise<string> {
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return `${x509.PemConverter.encode(pkcs8, "PRIVATE KEY")}\n`;
}

/** Positive and unique: 16 random bytes with the sign bit cleared (RFC 5280, section 4.1.2.2). */
function serialNumber(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x01;
  return Buffer.from(bytes).toString("hex");
}

/** Makes a certificate authority. Rejects only when the platform has no P-256. */
export async function createAuthority(options: AuthorityOptions): Promise<Authority> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [options.commonName] }],
    notBefore: dateFromMs(options.notBeforeMs),
    notAfter: dateFromMs(options.notAfterMs),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    certificatePem: `${certificate.toString("pem")}\n`,
    issue: (request) => issue(request, certificate, keys),
  };
}

async function issue(
  request: CertificateRequest,
  issuer: x509.X509Certificate,
  issuerKeys: CryptoKeyPair,
): Promise<KeyPair> {
  const keys = await generateKeys();
  const names: x509.JsonGeneralName[] = [
    ...(request.dnsNames ?? []).map((value) => ({ type: "dns" as const, value })),
    ...(request.ipAddresses ?? []).map((value) => ({ type: "ip" as const, value })),
  ];
  const organizations = (request.organizations ?? []).map((value) => ({ O: [value] }));
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: [...organizations, { CN: [request.commonName] }],
    issuer: issuer.subjectName.toJSON(),
    notBefore: dateFromMs(request.notBeforeMs),
    notAfter: dateFromMs(request.notAfterMs),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: issuerKeys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(request.usages.map((usage) => usageOids[usage])),
      ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
      await x509.AuthorityKeyIdentifierExtension.create(issuerKeys.publicKey),
    ],
  });
  return {
    certificatePem: `${certificate.toString("pem")}\n`,
    privateKeyPem: await privateKeyPem(keys),
  };
}
