import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ServingCertificate } from "../../../src/apiserver/serving-certificate.ts";
import { createAuthority } from "../../../src/certificates/authority.ts";
import type { Authority, KeyPair } from "../../../src/certificates/authority.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import type { Clock } from "../../../src/runtime/clock.ts";
import { FakeClock } from "../../fakes/fake-clock.ts";
import { recordingLogger } from "../../fakes/recording-logger.ts";
import { until } from "../../fakes/until.ts";

const nowMs = Date.now();
const hour = 3_600_000;
const validity = { notBeforeMs: nowMs - hour, notAfterMs: nowMs + hour };
let authority: Authority;
let first: KeyPair;
let second: KeyPair;
let folder: string;
const opened: ServingCertificate[] = [];

beforeAll(async () => {
  authority = await createAuthority({ commonName: "serving-ca", ...validity });
  first = await issue("first");
  second = await issue("second");
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "leadline-serving-"));
});
afterEach(async () => {
  for (const certificate of opened.splice(0)) await certificate.stop();
  await rm(folder, { recursive: true });
});

function issue(commonName: string): Promise<KeyPair> {
  return authority.issue({ commonName, usages: ["ServerAuth"], ...validity });
}

async function write(cert: string, key: string, into = folder): Promise<void> {
  await writeFile(join(into, "tls.crt"), cert);
  await writeFile(join(into, "tls.key"), key);
}

async function open(clock: Clock = systemClock, pollIntervalMs = 60_000) {
  const { logger, lines } = recordingLogger();
  const files = { certFile: join(folder, "tls.crt"), keyFile: join(folder, "tls.key") };
  const certificate = await ServingCertificate.open({ ...files, clock, logger, pollIntervalMs });
  opened.push(certificate);
  await certificate.start(new AbortController().signal);
  return { certificate, lines };
}

describe("opening", () => {
  interface OpenCase {
    readonly title: string;
    readonly cert?: string;
    readonly key?: string;
    readonly message: RegExp;
  }
  const cases: readonly OpenCase[] = [
    { title: "no file", message: /tls\.crt: ENOENT$/u },
    {
      title: "garbage certificate",
      cert: "garbage",
      key: "first",
      message: /tls\.crt: no certificate found$/u,
    },
    {
      title: "broken certificate",
      cert: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
      key: "first",
      message: /tls\.crt: certificate cannot be used \(ERR_OSSL/u,
    },
    {
      title: "garbage key",
      cert: "first",
      key: "garbage",
      message: /tls\.key: private key cannot be used \(ERR_OSSL/u,
    },
    {
      title: "mismatched pair",
      cert: "first",
      key: "second",
      message: /tls\.key: private key does not belong to the certificate in .*tls\.crt$/u,
    },
  ];
  test.each(cases)("rejects, naming the file: $title", async ({ cert, key, message }) => {
    const texts: Readonly<Record<string, KeyPair>> = { first, second };
    if (cert !== undefined && key !== undefined) {
      await write(texts[cert]?.certificatePem ?? cert, texts[key]?.privateKeyPem ?? key);
    }
    await expect(open()).rejects.toThrow(message);
  });
});

describe("following", () => {
  test("a new pair is taken over and told", async () => {
    await write(first.certificatePem, first.privateKeyPem);
    const { certificate } = await open();
    const told: string[] = [];
    certificate.onChange(({ cert }) => told.push(cert));
    await write(second.certificatePem, second.privateKeyPem);
    await until(() => told.length > 0, "the change is told");
    expect(told).toEqual([second.certificatePem]);
    expect(certificate.current().key).toBe(second.privateKeyPem);
  });

  test("a mismatched pair and garbage keep the old one, said once, until a good one comes", async () => {
    await write(first.certificatePem, first.privateKeyPem);
    const { certificate, lines } = await open(systemClock, 20);
    const failures = () => lines.filter((line) => line["level"] === 50).length;
    // Put in place whole: a look at a half-written file would be a finding of its own.
    const put = async (text: string): Promise<void> => {
      await writeFile(join(folder, "next"), text);
      await rename(join(folder, "next"), join(folder, "tls.crt"));
    };
    await put(second.certificatePem);
    await until(() => failures() === 1, "the mismatch is logged");
    await put("garbage");
    await until(() => failures() === 2, "the garbage is logged");
    await new Promise((resolve) => setTimeout(resolve, 100)); // several polls, which must add nothing
    expect(failures()).toBe(2);
    expect(certificate.current().cert).toBe(first.certificatePem);
    await write(second.certificatePem, second.privateKeyPem);
    await until(
      () => certificate.current().cert === second.certificatePem,
      "the good pair is used",
    );
  });

  test("a swap of kubelet's ..data link is seen", async () => {
    for (const [name, pair] of [
      ["v1", first],
      ["v2", second],
    ] as const) {
      await mkdir(join(folder, name));
      await write(pair.certificatePem, pair.privateKeyPem, join(folder, name));
    }
    await symlink("v1", join(folder, "..data"));
    await symlink("..data/tls.crt", join(folder, "tls.crt"));
    await symlink("..data/tls.key", join(folder, "tls.key"));
    const { certificate } = await open();
    for (const [name, pair] of [
      ["v2", second],
      ["v1", first],
    ] as const) {
      await symlink(name, join(folder, "..data_tmp"));
      await rename(join(folder, "..data_tmp"), join(folder, "..data"));
      await until(() => certificate.current().cert === pair.certificatePem, `${name} is used`);
    }
  });

  test("a listener presents the new certificate to new connections", async () => {
    await write(first.certificatePem, first.privateKeyPem);
    const { certificate } = await open();
    const server = createServer({ ...certificate.current() });
    let isTold = false;
    certificate.onChange(({ cert, key }) => {
      server.setSecureContext({ cert, key });
      isTold = true;
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const presented = (): Promise<string | undefined> =>
      new Promise((resolve, reject) => {
        const socket = connect(
          {
            port,
            host: "127.0.0.1",
            ca: authority.certificatePem,
            checkServerIdentity: () => undefined,
          },
          () => {
            resolve(socket.getPeerX509Certificate()?.subject);
            socket.destroy();
          },
        );
        socket.on("error", reject);
      });
    expect(await presented()).toBe("CN=first");
    await write(second.certificatePem, second.privateKeyPem);
    await until(() => isTold, "the listener has it");
    expect(await presented()).toBe("CN=second");
    await new Promise((resolve) => server.close(resolve));
  });
});

test("the check is red only when the pair in use has expired", async () => {
  await write(first.certificatePem, first.privateKeyPem);
  const clock = new FakeClock(nowMs);
  const { certificate } = await open(clock);
  expect(certificate.check.run()).toEqual({ status: "ok" });
  clock.jumpWallClock(2 * hour);
  const expiry = new Date(certificate.current().notAfterMs).toISOString().slice(0, 19);
  expect(certificate.check.run()).toEqual({ status: "failed", reason: `expired at ${expiry}Z` });
});
