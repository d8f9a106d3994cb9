import { X509Certificate } from "node:crypto";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { subjectFromCertificate } from "../../../src/apiserver/certificate-subject.ts";
import { CertificateVerifier } from "../../../src/apiserver/certificate-verifier.ts";
import { pathLengthOf } from "../../../src/apiserver/path-length.ts";
import type { PeerCertificates } from "../../../src/apiserver/peer-certificates.ts";
import { makeCertificate, oids } from "../../fakes/certificate-factory.ts";
import type { TestCertificate, TestCertificateRequest } from "../../fakes/certificate-factory.ts";
import { FakeClock } from "../../fakes/fake-clock.ts";

const clock = new FakeClock(Date.now());

function peerOf(leaf: TestCertificate, ...intermediates: TestCertificate[]): PeerCertificates {
  const [first, ...rest] = [leaf, ...intermediates].map(
    ({ certificatePem }) => new X509Certificate(certificatePem),
  );
  if (first === undefined) throw new Error("unreachable");
  const key = [first, ...rest].map(({ fingerprint256 }) => fingerprint256).join(" ");
  return { leaf: first, intermediates: rest, key };
}

function statusOf(root: TestCertificate, peer: PeerCertificates): string {
  return new CertificateVerifier({ bundlePem: root.certificatePem, clock }).verify(peer).status;
}

const named = (name: string, rest: Partial<TestCertificateRequest> = {}) =>
  makeCertificate({ subject: [{ CN: [name] }], ...rest });
const leafUnder = (issuer: TestCertificate, rest: Partial<TestCertificateRequest> = {}) =>
  named("leaf", { issuer, extendedKeyUsages: [oids.clientAuth], ...rest });

let root: TestCertificate;
beforeAll(async () => {
  root = await named("root", { isAuthority: true });
});

describe("extended key usage", () => {
  const cases = [
    { title: "absent means any", usages: undefined, status: "valid" },
    { title: "any", usages: [oids.any], status: "valid" },
    { title: "one of several", usages: [oids.serverAuth, oids.clientAuth], status: "valid" },
    { title: "another one", usages: [oids.serverAuth], status: "invalid" },
  ];
  test.each(cases)("of the leaf: $title", async ({ usages, status }) => {
    const subject = [{ CN: ["leaf"] }];
    const usage = usages === undefined ? {} : { extendedKeyUsages: usages };
    const leaf = await makeCertificate({ subject, issuer: root, ...usage });
    expect(statusOf(root, peerOf(leaf))).toBe(status);
  });

  test("of an issuer binds what it issues", async () => {
    const isAuthority = true;
    const narrow = { issuer: root, isAuthority, extendedKeyUsages: [oids.serverAuth] };
    const issuer = await named("issuer", narrow);
    expect(statusOf(root, peerOf(await leafUnder(issuer), issuer))).toBe("invalid");
  });
});

describe("paths", () => {
  test("an issuer that is no authority ends a path", async () => {
    const issuer = await named("issuer", { issuer: root });
    expect(statusOf(root, peerOf(await leafUnder(issuer), issuer))).toBe("invalid");
  });

  test("the order of intermediates does not matter, and strangers among them do no harm", async () => {
    const upper = await named("upper", { issuer: root, isAuthority: true });
    const lower = await named("lower", { issuer: upper, isAuthority: true });
    const stranger = await named("stranger", { isAuthority: true });
    const leaf = await leafUnder(lower);
    expect(statusOf(root, peerOf(leaf, stranger, upper, lower))).toBe("valid");
  });

  test("pathLenConstraint counts the authorities below", async () => {
    const upper = await named("upper", { issuer: root, isAuthority: true, pathLength: 0 });
    const lower = await named("lower", { issuer: upper, isAuthority: true });
    expect(statusOf(root, peerOf(await leafUnder(upper), upper))).toBe("valid");
    expect(statusOf(root, peerOf(await leafUnder(lower), lower, upper))).toBe("invalid");
  });

  test("a self-signed root that the peer sends along is trusted for nothing", async () => {
    const own = await named("root", { isAuthority: true });
    expect(statusOf(root, peerOf(await leafUnder(own), own))).toBe("invalid");
  });

  test("an expired intermediate makes the path expired", async () => {
    const notAfterMs = clock.now() - 60_000;
    const issuer = await named("issuer", { issuer: root, isAuthority: true, notAfterMs });
    const verifier = new CertificateVerifier({ bundlePem: root.certificatePem, clock });
    expect(verifier.verify(peerOf(await leafUnder(issuer), issuer))).toEqual({
      status: "invalid",
      reason: 'certificate "leaf" or one of its issuers has expired',
    });
  });

  test("issuers that sign each other end the search", async () => {
    const one = await named("one", { isAuthority: true });
    const two = await named("two", { issuer: one, isAuthority: true });
    expect(statusOf(root, peerOf(await leafUnder(two), one, two, one, two))).toBe("invalid");
  });

  test("a certificate that is itself in the bundle is valid", async () => {
    const leaf = await named("pinned", { extendedKeyUsages: [oids.clientAuth] });
    expect(statusOf(leaf, peerOf(leaf))).toBe("valid");
  });
});

describe("bundles", () => {
  test("any of several authorities will do, and a block that cannot be read is skipped", async () => {
    const other = await named("other", { isAuthority: true });
    const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    const bundlePem = `# two\n${other.certificatePem}${broken}${root.certificatePem}`;
    const verifier = new CertificateVerifier({ bundlePem, clock });
    expect(verifier.verify(peerOf(await leafUnder(root))).status).toBe("valid");
  });

  test("verdicts are remembered up to a limit", async () => {
    const bundlePem = root.certificatePem;
    const verifier = new CertificateVerifier({ bundlePem, clock, maxVerdicts: 2 });
    for (let index = 0; index < 4; index += 1) verifier.verify(peerOf(await leafUnder(root)));
    expect(verifier.rememberedVerdicts).toBe(2);
  });
});

describe("subjects", () => {
  const cases = [
    { title: "plain", subject: [{ O: ["a"] }, { CN: ["jane"] }] },
    { title: "repeated", subject: [{ O: ["a"] }, { O: ["b"] }, { O: ["c"] }, { CN: ["jane"] }] },
    { title: "several in one RDN", subject: [{ O: ["a", "b"] }, { CN: ["jane"] }] },
    {
      title: "commas, plus, equals, semicolons",
      subject: [{ O: ["a, b + c = d;<e>"] }, { CN: ["jane, O=x"] }],
    },
    {
      title: "a line break",
      subject: [{ O: ["a\nCN=admin"] }, { CN: ["jane\nO=system:masters"] }],
    },
    { title: "UTF-8", subject: [{ O: ["группа"] }, { CN: ["ユーザー·ö"] }] },
    { title: "no organization", subject: [{ CN: ["jane"] }] },
    { title: "no common name", subject: [{ O: ["a"] }] },
  ];
  test.each(cases)("$title", async ({ subject }) => {
    const entries: readonly Record<string, string[]>[] = subject;
    const { certificatePem } = await makeCertificate({ subject });
    expect(subjectFromCertificate(new X509Certificate(certificatePem))).toEqual({
      commonName: entries.flatMap((entry) => entry["CN"] ?? []).at(-1) ?? "",
      organizations: entries.flatMap((entry) => entry["O"] ?? []),
    });
  });
});

describe("pathLengthOf", () => {
  test.each([undefined, 0, 1, 127, 128, 65_535])("reads %s", async (pathLength) => {
    const constraint = pathLength === undefined ? {} : { pathLength };
    const { certificatePem } = await named("ca", { isAuthority: true, ...constraint });
    expect(pathLengthOf(new X509Certificate(certificatePem).raw)).toBe(pathLength);
  });

  test("never throws, whatever the bytes", async () => {
    const { raw } = new X509Certificate((await named("ca", { isAuthority: true })).certificatePem);
    fc.assert(
      fc.property(fc.nat(raw.length - 1), fc.integer({ min: 0, max: 255 }), (index, byte) => {
        const damaged = Buffer.from(raw);
        damaged[index] = byte;
        pathLengthOf(damaged);
        pathLengthOf(damaged.subarray(0, index));
      }),
    );
  });
});
