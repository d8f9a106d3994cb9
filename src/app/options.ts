import { isLoopbackAddress } from "../runtime/loopback.ts";

/** Settings of a process as one of their two places gives them, a flag or the configuration file; absent where it says nothing. */
export interface ServeSettings {
  readonly bindAddress?: string | undefined;
  readonly securePort?: number | undefined;
  readonly tlsCertFile?: string | undefined;
  readonly tlsPrivateKeyFile?: string | undefined;
  readonly opsBindAddress?: string | undefined;
  readonly opsPort?: number | undefined;
  readonly shutdownDelaySeconds?: number | undefined;
  /** Whether the ops port shows signals beyond loopback too; in the file alone. */
  readonly showsSignals?: boolean | undefined;
}

/** How a process runs; from flags alone. */
export interface ServeMode {
  /** No Kubernetes, no authentication, loopback only. */
  readonly isStandalone: boolean;
  /** Absent: in-cluster configuration, then $KUBECONFIG. */
  readonly kubeconfigFile?: string | undefined;
}

/** Where the serving certificate comes from. `SelfSigned` exists in standalone mode only. */
export type TlsOptions =
  | { readonly mode: "Files"; readonly certFile: string; readonly keyFile: string }
  | { readonly mode: "SelfSigned" };

/** Everything a server process needs to know before it starts; complete and checked. */
export interface ServeOptions {
  readonly isStandalone: boolean;
  readonly kubeconfigFile: string | undefined;
  readonly bindAddress: string;
  /** 0 takes any free port. */
  readonly securePort: number;
  readonly tls: TlsOptions;
  readonly opsBindAddress: string;
  readonly opsPort: number;
  /** Whether the ops port shows signals to whoever reaches it, and not on loopback alone. */
  readonly showsSignals: boolean;
  /** Time between a red `/readyz` and the closing of the listener, milliseconds. */
  readonly shutdownDelayMs: number;
}

/** Options to run with, or every reason why there are none, each naming the flag to change. */
export type ResolvedOptions =
  | { readonly status: "resolved"; readonly options: ServeOptions }
  | { readonly status: "refused"; readonly errors: readonly string[] };

/** Joins flags and file, a flag wins, and fills in the defaults. All refusals at once. */
export function resolveOptions(
  mode: ServeMode,
  flags: ServeSettings,
  file: ServeSettings,
): ResolvedOptions {
  const settings = { ...defaultSettings(mode), ...definedOf(file), ...definedOf(flags) };
  const tls = resolveTls(mode, settings);
  const errors = [
    ...(typeof tls === "string" ? [tls] : []),
    ...(mode.isStandalone ? standaloneErrors(mode, settings) : []),
  ];
  if (typeof tls === "string" || errors.length > 0) return { status: "refused", errors };
  const { bindAddress, securePort, opsBindAddress, opsPort, showsSignals } = settings;
  return {
    status: "resolved",
    options: {
      isStandalone: mode.isStandalone,
      kubeconfigFile: mode.kubeconfigFile,
      ...{ bindAddress, securePort, tls, opsBindAddress, opsPort, showsSignals },
      shutdownDelayMs: settings.shutdownDelaySeconds * 1000,
    },
  };
}

/** Settings with every default filled in; a certificate has none. */
type CompleteSettings = Pick<ServeSettings, "tlsCertFile" | "tlsPrivateKeyFile"> & {
  readonly bindAddress: string;
  readonly securePort: number;
  readonly opsBindAddress: string;
  readonly opsPort: number;
  readonly shutdownDelaySeconds: number;
  readonly showsSignals: boolean;
};

function defaultSettings({ isStandalone }: ServeMode): CompleteSettings {
  // Standalone binds to loopback unless told otherwise: there it is the only address that is not refused.
  const address = isStandalone ? "127.0.0.1" : "0.0.0.0";
  return {
    bindAddress: address,
    securePort: 6443,
    opsBindAddress: address,
    opsPort: 8080,
    // Long enough for kube-proxies to take an endpoint out after its readiness has failed.
    shutdownDelaySeconds: 15,
    showsSignals: false,
  };
}

/** The keys that say something; spreading an `undefined` would undo what was said before. */
function definedOf(settings: ServeSettings): Partial<CompleteSettings> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

function standaloneErrors(
  mode: ServeMode,
  { bindAddress, opsBindAddress }: CompleteSettings,
): string[] {
  const errors: string[] = [];
  const refuse = (flag: string, address: string): void => {
    errors.push(
      `--standalone turns authentication off and serves on loopback only, but ${flag} is ${address}; allowed: 127.0.0.0/8, ::1`,
    );
  };
  if (!isLoopbackAddress(bindAddress)) refuse("--bind-address", bindAddress);
  if (!isLoopbackAddress(opsBindAddress)) refuse("--ops-bind-address", opsBindAddress);
  if (mode.kubeconfigFile !== undefined) {
    errors.push(
      "--standalone uses no Kubernetes, but --kubeconfig is given; leave one of them out",
    );
  }
  return errors;
}

function resolveTls(
  mode: ServeMode,
  { tlsCertFile: certFile, tlsPrivateKeyFile: keyFile }: CompleteSettings,
): TlsOptions | string {
  if (certFile !== undefined && keyFile !== undefined) return { mode: "Files", certFile, keyFile };
  if (certFile !== undefined) return "--tls-cert-file is given without --tls-private-key-file";
  if (keyFile !== undefined) return "--tls-private-key-file is given without --tls-cert-file";
  if (mode.isStandalone) return { mode: "SelfSigned" };
  return "no serving certificate: give --tls-cert-file and --tls-private-key-file";
}
