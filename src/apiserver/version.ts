/** What `/version` answers; every value a string (upstream: apimachinery `pkg/version/types.go`). */
export interface VersionInfo {
  readonly major: string;
  readonly minor: string;
  readonly gitVersion: string;
  readonly gitCommit: string;
  readonly gitTreeState: string;
  readonly buildDate: string;
  readonly goVersion: string;
  readonly compiler: string;
  readonly platform: string;
}

/** What a build knows of itself; a missing part becomes the empty string. */
export interface BuildInfo {
  /** Semantic version without the leading v, such as `0.1.0`. */
  readonly version: string;
  readonly gitCommit?: string;
  /** RFC 3339. */
  readonly buildDate?: string;
  /** Operating system and architecture, such as `linux/amd64`. */
  readonly platform: string;
}

/** The version document of a build. */
export function versionInfo(build: BuildInfo): VersionInfo {
  const [major = "", minor = ""] = build.version.split(".");
  return {
    major,
    minor,
    gitVersion: `v${build.version}`,
    gitCommit: build.gitCommit ?? "",
    gitTreeState: "",
    buildDate: build.buildDate ?? "",
    goVersion: "n/a",
    compiler: "n/a",
    platform: build.platform,
  };
}
