import { createAuthority } from "../../src/certificates/authority.ts";
import type { KeyPair } from "../../src/certificates/authority.ts";
import type { RedisServerTls } from "./redis-server.ts";

/** A server's TLS, signed by an authority of its own, and a client certificate that it accepts. PEM texts. */
export interface TlsFiles {
  readonly server: RedisServerTls;
  readonly client: KeyPair;
}

const hourMs = 3_600_000;

/** Makes certificates for a server on `localhost` and 127.0.0.1, valid for an hour. */
export async function createTlsFiles(): Promise<TlsFiles> {
  const validity = { notBeforeMs: Date.now() - hourMs, notAfterMs: Date.now() + hourMs };
  const authority = await createAuthority({ commonName: "test servers", ...validity });
  const [server, client] = await Promise.all([
    authority.issue({
      commonName: "localhost",
      dnsNames: ["localhost"],
      ipAddresses: ["127.0.0.1"],
      usages: ["ServerAuth"],
      ...validity,
    }),
    authority.issue({ commonName: "leadline", usages: ["ClientAuth"], ...validity }),
  ]);
  return {
    server: {
      ca: authority.certificatePem,
      certificate: server.certificatePem,
      privateKey: server.privateKeyPem,
    },
    client,
  };
}
