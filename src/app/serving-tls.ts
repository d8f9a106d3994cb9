import { createCertificateMetrics } from "../apiserver/metrics.ts";
import { ServingCertificate } from "../apiserver/serving-certificate.ts";
import { createAuthority } from "../certificates/authority.ts";
import type { Check } from "../runtime/health.ts";
import type { Component } from "../runtime/lifecycle.ts";
import { named } from "./named-failure.ts";
import type { ProcessDependencies } from "./dependencies.ts";
import type { TlsOptions } from "./options.ts";

/** Where the listener's certificate comes from, whatever the mode. */
export interface ServingTlsSource {
  /** The pair to present from now on, PEM. */
  current(): { readonly key: string; readonly cert: string };
  /** Calls back after each change of {@link ServingTlsSource.current}. */
  onChange(listener: () => void): void;
  readonly checks: readonly Check[];
  readonly components: readonly Component[];
}

/** Life of a certificate that a standalone process makes for itself, milliseconds: it dies with the process long before. */
const selfSignedLifeMs = 365 * 86_400_000;
/** Clocks of one machine agree; the margin is for one that is set back. */
const selfSignedMarginMs = 3_600_000;

/** The certificate of this mode. Rejects when there is none that can be presented. */
export async function createServingTls(
  options: TlsOptions,
  dependencies: ProcessDependencies,
): Promise<ServingTlsSource> {
  switch (options.mode) {
    case "Files":
      return fromFiles(options, dependencies);
    case "SelfSigned":
      return selfSigned(dependencies);
  }
}

async function fromFiles(
  { certFile, keyFile }: TlsOptions & { readonly mode: "Files" },
  { clock, logger, registry }: ProcessDependencies,
): Promise<ServingTlsSource> {
  const certificate = await named(
    "serving certificate",
    ServingCertificate.open({ certFile, keyFile, clock, logger }),
  );
  createCertificateMetrics(registry, () => certificate.current().notAfterMs);
  return {
    current: () => certificate.current(),
    onChange: (listener) => {
      certificate.onChange(listener);
    },
    checks: [certificate.check],
    components: [certificate],
  };
}

async function selfSigned({ clock }: ProcessDependencies): Promise<ServingTlsSource> {
  const nowMs = clock.now();
  const validity = {
    notBeforeMs: nowMs - selfSignedMarginMs,
    notAfterMs: nowMs + selfSignedLifeMs,
  };
  const authority = await createAuthority({ commonName: "leadline standalone", ...validity });
  const { certificatePem, privateKeyPem } = await authority.issue({
    commonName: "localhost",
    dnsNames: ["localhost"],
    ipAddresses: ["127.0.0.1", "::1"],
    usages: ["ServerAuth"],
    ...validity,
  });
  const pair = { key: privateKeyPem, cert: `${certificatePem}${authority.certificatePem}` };
  return { current: () => pair, onChange: () => undefined, checks: [], components: [] };
}
