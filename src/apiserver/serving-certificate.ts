import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { pemCertificates } from "../model/pem.ts";
import { rfc3339FromMs } from "../model/timestamp.ts";
import type { Clock } from "../runtime/clock.ts";
import { errorCode, errorFromUnknown } from "../runtime/errors.ts";
import { FileChanges } from "../runtime/file-changes.ts";
import type { Check } from "../runtime/health.ts";
import type { Component } from "../runtime/lifecycle.ts";
import type { Logger } from "../runtime/logger.ts";

/** Where the certificate lies, and what is needed to follow it. */
export interface ServingCertificateOptions {
  /** PEM: the leaf first, then its intermediates. */
  readonly certFile: string;
  /** PEM, not encrypted. */
  readonly keyFile: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Longest time until a change is seen where the mount reports none; milliseconds, default 30,000. */
  readonly pollIntervalMs?: number;
}

/** A certificate with its key, checked to belong together. */
export interface ServingPair {
  readonly cert: string;
  readonly key: string;
  /** End of the leaf's validity, milliseconds since the epoch. */
  readonly notAfterMs: number;
}

const defaultPollIntervalMs = 30_000;
const settleMs = 100;

/**
 * The listener's certificate, read again whenever its files change (upstream: apiserver `dynamiccertificates/dynamic_serving_content.go`). A pair that cannot be used
 * changes nothing and is tried again at the next look: the files of a pair may be written one after the other.
 */
export class ServingCertificate implements Component {
  readonly name = "serving-certificate";
  /** Red only when the pair in use has expired; an expiring or unreadable file is no reason to take the API away. */
  readonly check: Check = { name: "serving-cert", run: () => this.#health() };

  readonly #options: ServingCertificateOptions;
  readonly #listeners = new Set<(pair: ServingPair) => void>();
  readonly #stopping = new AbortController();
  #pair: ServingPair;
  #lastFailure = "";
  #loop: Promise<void> | undefined;

  private constructor(options: ServingCertificateOptions, pair: ServingPair) {
    this.#options = options;
    this.#pair = pair;
  }

  /** Reads the first pair. Rejects, naming the file and what is wrong with it, when it cannot be used. */
  static async open(options: ServingCertificateOptions): Promise<ServingCertificate> {
    return new ServingCertificate(options, await readPair(options));
  }

  /** The pair to present from now on. */
  current(): ServingPair {
    return this.#pair;
  }

  /** Calls back after each change of {@link current}; the result ends that. */
  onChange(listener: (pair: ServingPair) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Begins to follow the files. */
  start(signal: AbortSignal): Promise<void> {
    this.#loop ??= this.#follow(AbortSignal.any([signal, this.#stopping.signal]));
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("stopped"));
    await this.#loop;
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { certFile, keyFile, clock, pollIntervalMs = defaultPollIntervalMs } = this.#options;
    const files = [certFile, keyFile];
    const changes = new FileChanges({ files, clock, pollIntervalMs, settleMs });
    while (!signal.aborted) {
      await this.#reload();
      await changes.next(signal);
    }
    changes.close();
  }

  async #reload(): Promise<void> {
    const { logger } = this.#options;
    try {
      const pair = await readPair(this.#options);
      this.#lastFailure = "";
      if (pair.cert === this.#pair.cert && pair.key === this.#pair.key) return;
      this.#pair = pair;
      logger.info({ notAfter: rfc3339FromMs(pair.notAfterMs) }, "Serving certificate reloaded");
      for (const listener of this.#listeners) listener(pair);
    } catch (reason) {
      const err = errorFromUnknown(reason);
      if (err.message !== this.#lastFailure) {
        logger.error({ err }, "Serving certificate not reloaded: keeping the one in use");
      }
      this.#lastFailure = err.message;
    }
  }

  #health(): ReturnType<Check["run"]> {
    const { notAfterMs } = this.#pair;
    if (this.#options.clock.now() <= notAfterMs) return { status: "ok" };
    return { status: "failed", reason: `expired at ${rfc3339FromMs(notAfterMs)}` };
  }
}

async function readPair({ certFile, keyFile }: ServingCertificateOptions): Promise<ServingPair> {
  // One after the other, so that of two missing files the same one is always named.
  const cert = await readText(certFile);
  const key = await readText(keyFile);
  const [leafPem] = pemCertificates(cert);
  if (leafPem === undefined) throw new Error(`${certFile}: no certificate found`);
  const leaf = parsed(certFile, "certificate", () => new X509Certificate(leafPem));
  const privateKey = parsed(keyFile, "private key", () => createPrivateKey(key));
  if (!leaf.checkPrivateKey(privateKey)) {
    throw new Error(`${keyFile}: private key does not belong to the certificate in ${certFile}`);
  }
  // The listener will do the same with it, and must not be the first to find out.
  parsed(certFile, "certificate", () => createSecureContext({ cert, key }));
  return { cert, key, notAfterMs: leaf.validToDate.getTime() };
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (reason) {
    const finding = errorCode(errorFromUnknown(reason)) ?? "cannot be read";
    throw new Error(`${file}: ${finding}`, { cause: reason });
  }
}

function parsed<T>(file: string, what: string, parse: () => T): T {
  try {
    return parse();
  } catch (reason) {
    const finding = errorCode(errorFromUnknown(reason)) ?? "unknown reason";
    throw new Error(`${file}: ${what} cannot be used (${finding})`, { cause: reason });
  }
}
