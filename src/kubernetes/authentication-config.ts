import { X509Certificate } from "node:crypto";
import { z } from "zod";
import { pemCertificates } from "../model/pem.ts";

/** What the ConfigMap says about front proxies; empty where a key is absent. */
export interface RequestHeaderConfig {
  readonly clientCaPem: string;
  readonly allowedNames: readonly string[];
  readonly usernameHeaders: readonly string[];
  readonly uidHeaders: readonly string[];
  readonly groupHeaders: readonly string[];
  readonly extraHeaderPrefixes: readonly string[];
}

/** What the ConfigMap says about whom to trust. */
export interface AuthenticationConfig {
  /** Different for every published configuration; never goes back. */
  readonly generation: number;
  readonly clientCaPem: string;
  readonly requestHeader: RequestHeaderConfig;
}

const textList = z.array(z.string());

/** `data` of a ConfigMap; absent when it is empty. */
export type ConfigMapData = Readonly<Record<string, string>>;

/**
 * Reads `kube-system/extension-apiserver-authentication` (upstream: apiserver `headerrequest/requestheader_controller.go`). A missing or empty value is an empty
 * list. Throws an Error naming the key when a list is not a JSON array of strings, or a bundle holds no certificate or one that cannot be read.
 */
export function authenticationConfigFromData(
  data: ConfigMapData,
): Omit<AuthenticationConfig, "generation"> {
  return {
    clientCaPem: bundle(data, "client-ca-file"),
    requestHeader: {
      clientCaPem: bundle(data, "requestheader-client-ca-file"),
      allowedNames: list(data, "requestheader-allowed-names"),
      usernameHeaders: list(data, "requestheader-username-headers"),
      uidHeaders: list(data, "requestheader-uid-headers"),
      groupHeaders: list(data, "requestheader-group-headers"),
      extraHeaderPrefixes: list(data, "requestheader-extra-headers-prefix"),
    },
  };
}

function list(data: ConfigMapData, key: string): readonly string[] {
  const text = data[key] ?? "";
  if (text.trim() === "") return [];
  const result = textList.safeParse(jsonOrUndefined(text));
  if (!result.success) throw new Error(`${key}: not a JSON array of strings`);
  return result.data;
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function bundle(data: ConfigMapData, key: string): string {
  const text = data[key] ?? "";
  if (text.trim() === "") return "";
  const blocks = pemCertificates(text);
  if (blocks.length === 0) throw new Error(`${key}: no certificate found`);
  for (const [index, block] of blocks.entries()) {
    try {
      new X509Certificate(block);
    } catch (cause) {
      throw new Error(`${key}: certificate ${index + 1} cannot be read`, { cause });
    }
  }
  return text;
}
