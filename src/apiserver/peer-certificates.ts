import type { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

/** What the other end of a TLS connection showed: its own certificate and the others that it sent along. */
export interface PeerCertificates {
  readonly leaf: X509Certificate;
  /** In the order sent; trusted for nothing, they only help to find a path. */
  readonly intermediates: readonly X509Certificate[];
  /** Names the whole set: SHA-256 fingerprints in order. */
  readonly key: string;
}

/** Longest list of certificates that is looked at: a peer may send whatever it likes. */
const maxIntermediates = 8;

/** Peers with intermediates that are remembered. */
const maxRemembered = 1024;

/** Reads what peers showed, once per connection. */
export class PeerCertificateReader {
  readonly #known = new WeakMap<Socket, { readonly peer: PeerCertificates | undefined }>();
  readonly #withIntermediates = new Map<string, PeerCertificates>();

  /** The peer's certificates, or undefined when it showed none or the connection is not TLS. */
  read(socket: Socket): PeerCertificates | undefined {
    const known = this.#known.get(socket);
    if (known !== undefined) return known.peer;
    const peer = socket instanceof TLSSocket ? this.#recalled(peerCertificates(socket)) : undefined;
    this.#known.set(socket, { peer });
    return peer;
  }

  /**
   * A resumed TLS session carries the peer's own certificate but not the others that came with it, so those of an earlier connection stand in: they are
   * trusted for nothing and only help to find a path.
   */
  #recalled(peer: PeerCertificates | undefined): PeerCertificates | undefined {
    if (peer === undefined) return undefined;
    const { fingerprint256 } = peer.leaf;
    if (peer.intermediates.length === 0) return this.#withIntermediates.get(fingerprint256) ?? peer;
    if (this.#withIntermediates.size >= maxRemembered) this.#withIntermediates.clear();
    this.#withIntermediates.set(fingerprint256, peer);
    return peer;
  }
}

function peerCertificates(socket: TLSSocket): PeerCertificates | undefined {
  const leaf = socket.getPeerX509Certificate();
  if (leaf === undefined) return undefined;
  const intermediates: X509Certificate[] = [];
  let next = leaf.issuerCertificate;
  while (next !== undefined && intermediates.length < maxIntermediates) {
    intermediates.push(next);
    next = next.issuerCertificate;
  }
  const key = [leaf, ...intermediates].map(({ fingerprint256 }) => fingerprint256).join(" ");
  return { leaf, intermediates, key };
}
