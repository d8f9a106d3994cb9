import { X509Certificate } from "node:crypto";
import { pemCertificates } from "../model/pem.ts";
import type { Clock } from "../runtime/clock.ts";
import type { PeerCertificates } from "./peer-certificates.ts";
import { subjectFromCertificate } from "./certificate-subject.ts";
import type { CertificateSubject } from "./certificate-subject.ts";
import { pathLengthOf } from "./path-length.ts";

/** What one bundle says about a certificate. `reason` is for the log. */
export type CertificateVerdict =
  | { readonly status: "valid"; readonly subject: CertificateSubject }
  | { readonly status: "invalid"; readonly reason: string };

/** A bundle of authorities, the time, and how many verdicts to remember (default 1,024). */
export interface CertificateVerifierOptions {
  /** Trusted authorities, PEM. None that can be read means that nothing is valid. */
  readonly bundlePem: string;
  readonly clock: Clock;
  readonly maxVerdicts?: number;
}

/** Milliseconds since the epoch, both inclusive: when every certificate of a path is valid. */
interface Period {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** All of a verdict that does not depend on the time. */
interface Finding {
  readonly subject: CertificateSubject;
  readonly periods: readonly Period[];
}

interface Search {
  readonly peer: PeerCertificates;
  readonly paths: X509Certificate[][];
  signatureChecks: number;
}

/** Extended key usages (RFC 5280, section 4.2.1.12): client authentication, and any. */
const clientAuthOids: ReadonlySet<string> = new Set(["1.3.6.1.5.5.7.3.2", "2.5.29.37.0"]);
/** Longest path, leaf and root included. */
const maxPathCertificates = 6;
/** Bounds the work that one peer can cause (Go crypto/x509: maxChainSignatureChecks). */
const maxSignatureChecks = 100;
const weakSignature = /md5|sha-?1(?!\d)/iu;

/**
 * Tells whether certificates chain to one bundle and may authenticate a client (Go: crypto/x509 Certificate.Verify with
 * KeyUsages = ClientAuth). Node's own `socket.authorized` mixes all bundles of a listener, so each bundle gets a verifier of its own; when a
 * bundle changes, its verifier is thrown away with all it remembers.
 */
export class CertificateVerifier {
  readonly #roots: readonly X509Certificate[];
  readonly #clock: Clock;
  readonly #maxVerdicts: number;
  readonly #byConnection = new WeakMap<PeerCertificates, Finding>();
  readonly #byFingerprint = new Map<string, Finding>();

  constructor(options: CertificateVerifierOptions) {
    this.#roots = readableCertificates(options.bundlePem);
    this.#clock = options.clock;
    this.#maxVerdicts = options.maxVerdicts ?? 1024;
  }

  /** Verdicts remembered by fingerprint. */
  get rememberedVerdicts(): number {
    return this.#byFingerprint.size;
  }

  /** Judges at the present time; from memory when these certificates were seen before. */
  verify(peer: PeerCertificates): CertificateVerdict {
    const { subject, periods } = this.#findingFor(peer);
    const name = JSON.stringify(subject.commonName);
    if (periods.length === 0) {
      const reason = `certificate ${name} does not chain to the bundle as a client certificate`;
      return { status: "invalid", reason };
    }
    const nowMs = this.#clock.now();
    const isCurrent = periods.some((p) => p.notBeforeMs <= nowMs && nowMs <= p.notAfterMs);
    if (isCurrent) return { status: "valid", subject };
    const isFuture = periods.every((p) => nowMs < p.notBeforeMs);
    const finding = isFuture ? "is not valid yet" : "has expired";
    return { status: "invalid", reason: `certificate ${name} or one of its issuers ${finding}` };
  }

  #findingFor(peer: PeerCertificates): Finding {
    const known = this.#byConnection.get(peer) ?? this.#byFingerprint.get(peer.key);
    const finding = known ?? {
      subject: subjectFromCertificate(peer.leaf),
      periods: findPaths(peer, this.#roots).filter(mayAuthenticateClients).map(periodOf),
    };
    if (known === undefined) this.#remember(peer.key, finding);
    this.#byConnection.set(peer, finding);
    return finding;
  }

  #remember(key: string, finding: Finding): void {
    if (this.#byFingerprint.size >= this.#maxVerdicts) {
      const oldest = this.#byFingerprint.keys().next();
      if (oldest.done !== true) this.#byFingerprint.delete(oldest.value);
    }
    this.#byFingerprint.set(key, finding);
  }
}

/** Blocks that cannot be read are skipped: one bad block must not take the good ones away. */
function readableCertificates(bundlePem: string): readonly X509Certificate[] {
  return pemCertificates(bundlePem).flatMap((pem) => {
    try {
      return [new X509Certificate(pem)];
    } catch {
      return [];
    }
  });
}

function findPaths(
  peer: PeerCertificates,
  roots: readonly X509Certificate[],
): readonly (readonly X509Certificate[])[] {
  const isTrustedItself = roots.some((root) => isSame(root, peer.leaf));
  const search: Search = { peer, paths: isTrustedItself ? [[peer.leaf]] : [], signatureChecks: 0 };
  extendPath([peer.leaf], roots, search);
  return search.paths;
}

function extendPath(
  path: readonly X509Certificate[],
  roots: readonly X509Certificate[],
  search: Search,
): void {
  const last = path.at(-1);
  if (last === undefined || path.length >= maxPathCertificates) return;
  for (const root of roots) {
    if (isIssuedBy(last, root, search) && allowsPathBelow(root, path)) {
      search.paths.push([...path, root]);
    }
  }
  for (const issuer of search.peer.intermediates) {
    const isUsed = [...path, ...roots].some((member) => isSame(member, issuer));
    if (!isUsed && isIssuedBy(last, issuer, search) && allowsPathBelow(issuer, path)) {
      extendPath([...path, issuer], roots, search);
    }
  }
}

function isSame(a: X509Certificate, b: X509Certificate): boolean {
  return a.fingerprint256 === b.fingerprint256;
}

/** Names, key identifiers and key usage agree (`checkIssued`), the issuer is an authority, and the signature is its own. */
function isIssuedBy(
  certificate: X509Certificate,
  issuer: X509Certificate,
  search: Search,
): boolean {
  if (!issuer.ca || !certificate.checkIssued(issuer)) return false;
  if (weakSignature.test(certificate.signatureAlgorithm ?? "")) return false;
  search.signatureChecks += 1;
  if (search.signatureChecks > maxSignatureChecks) return false;
  try {
    return certificate.verify(issuer.publicKey);
  } catch {
    // A key type that does not fit the signature, or a key that OpenSSL cannot read: not signed by it.
    return false;
  }
}

/** pathLenConstraint counts the authorities between an issuer and the leaf (RFC 5280, section 4.2.1.9). */
function allowsPathBelow(issuer: X509Certificate, path: readonly X509Certificate[]): boolean {
  const limit = pathLengthOf(issuer.raw);
  return limit === undefined || path.length - 1 <= limit;
}

/** Every certificate that names its extended usages must name this one; one that names none allows any (Go: checkChainForKeyUsage). */
function mayAuthenticateClients(path: readonly X509Certificate[]): boolean {
  return path.every((certificate) => {
    // Typed as always present, but undefined where the extension is absent.
    const usages = certificate.keyUsage as readonly string[] | undefined;
    return usages?.some((oid) => clientAuthOids.has(oid)) ?? true;
  });
}

function periodOf(path: readonly X509Certificate[]): Period {
  return {
    notBeforeMs: Math.max(...path.map(({ validFromDate }) => validFromDate.getTime())),
    notAfterMs: Math.min(...path.map(({ validToDate }) => validToDate.getTime())),
  };
}
