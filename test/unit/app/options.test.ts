import { describe, expect, it } from "vitest";
import { resolveOptions, type ServeMode } from "../../../src/app/options.ts";

const inCluster: ServeMode = { isStandalone: false };
const standalone: ServeMode = { isStandalone: true };
const files = { tlsCertFile: "/tls/tls.crt", tlsPrivateKeyFile: "/tls/tls.key" };

describe("resolveOptions()", () => {
  it("fills in the defaults of the process contract", () => {
    expect(resolveOptions(inCluster, files, {})).toEqual({
      status: "resolved",
      options: {
        isStandalone: false,
        kubeconfigFile: undefined,
        bindAddress: "0.0.0.0",
        securePort: 6443,
        tls: { mode: "Files", certFile: "/tls/tls.crt", keyFile: "/tls/tls.key" },
        opsBindAddress: "0.0.0.0",
        opsPort: 8080,
        showsSignals: false,
        shutdownDelayMs: 15_000,
      },
    });
  });

  it("lets a flag win over the file, setting by setting", () => {
    const resolved = resolveOptions(
      inCluster,
      { securePort: 0, shutdownDelaySeconds: 0 },
      { ...files, securePort: 7443, opsPort: 9090, shutdownDelaySeconds: 30, bindAddress: "::" },
    );
    expect(resolved).toMatchObject({
      options: { securePort: 0, opsPort: 9090, shutdownDelayMs: 0, bindAddress: "::" },
    });
  });

  it("names the flags when there is no serving certificate", () => {
    expect(resolveOptions(inCluster, {}, {})).toEqual({
      status: "refused",
      errors: ["no serving certificate: give --tls-cert-file and --tls-private-key-file"],
    });
  });

  it.each([
    [
      "certificate",
      { tlsCertFile: "a" },
      "--tls-cert-file is given without --tls-private-key-file",
    ],
    ["key", { tlsPrivateKeyFile: "a" }, "--tls-private-key-file is given without --tls-cert-file"],
  ])("refuses a %s alone", (_what, flags, error) => {
    expect(resolveOptions(inCluster, flags, {})).toEqual({ status: "refused", errors: [error] });
    expect(resolveOptions(standalone, flags, {})).toEqual({ status: "refused", errors: [error] });
  });

  it("binds to loopback with a certificate of its own in standalone mode", () => {
    expect(resolveOptions(standalone, {}, {})).toMatchObject({
      options: {
        bindAddress: "127.0.0.1",
        opsBindAddress: "127.0.0.1",
        tls: { mode: "SelfSigned" },
      },
    });
  });

  it("refuses every address but loopback in standalone mode, all at once, also from the file", () => {
    const resolved = resolveOptions(
      { ...standalone, kubeconfigFile: "k" },
      { bindAddress: "0.0.0.0" },
      { opsBindAddress: "10.0.0.1" },
    );
    expect(resolved).toEqual({
      status: "refused",
      errors: [
        "--standalone turns authentication off and serves on loopback only, but --bind-address is 0.0.0.0; allowed: 127.0.0.0/8, ::1",
        "--standalone turns authentication off and serves on loopback only, but --ops-bind-address is 10.0.0.1; allowed: 127.0.0.0/8, ::1",
        "--standalone uses no Kubernetes, but --kubeconfig is given; leave one of them out",
      ],
    });
  });
});
