// Builds the control plane of the end-to-end tests out of Go modules, once, into a cache outside the tree:
//
//   node scripts/control-plane/build.mjs            builds what is missing, one binary at a time
//   node scripts/control-plane/build.mjs --paths    prints {"kube-apiserver":"/…/bin/kube-apiserver",…}; builds nothing
//
// The cache is ${LEADLINE_CACHE:-~/.cache/leadline}/control-plane/<module>-<key>/bin. The key is a hash of the
// module's go.mod and go.sum, of the build's flags and of `go version`, so that a change of any builds anew.
// Runs on Node 20 and has no dependencies.
import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { access, mkdir, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const here = fileURLToPath(new URL(".", import.meta.url));
const minimumGo = [1, 26];
const goAdvice =
  `install Go ${minimumGo.join(".")} or newer (https://go.dev/dl/) and put its bin folder on PATH; ` +
  "the end-to-end tests build etcd, Kubernetes and kwok with it";

const kubernetesVersion = {
  gitMajor: "1",
  gitMinor: "36",
  gitVersion: "v1.36.3",
  gitTreeState: "clean",
};

/**
 * One row a Go module beside this file; a tool of a later test is one more row (and its go.mod and go.sum).
 * `variables` are set by the linker (-X): without them the servers would not know their own version.
 */
const modules = [
  {
    name: "kubernetes",
    binaries: {
      "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
      "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
      "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
      kubectl: "k8s.io/kubernetes/cmd/kubectl",
    },
    variables: {
      "k8s.io/component-base/version": kubernetesVersion,
      "k8s.io/client-go/pkg/version": kubernetesVersion,
    },
  },
  { name: "etcd", binaries: { etcd: "go.etcd.io/etcd/server/v3" }, variables: {} },
  {
    name: "kwok",
    binaries: { kwok: "sigs.k8s.io/kwok/cmd/kwok" },
    variables: { "sigs.k8s.io/kwok/pkg/consts": { Version: "v0.8.0" } },
  },
];

/** A finding that the user can act on: printed as one line, without a stack. */
class BuildError extends Error {}

const run = promisify(execFile);

async function goVersion() {
  let text;
  try {
    text = (await run("go", ["version"], { cwd: join(here, "kubernetes") })).stdout.trim();
  } catch (reason) {
    const finding = reason.code === "ENOENT" ? "go not found" : String(reason.stderr).trim();
    throw new BuildError(`control plane: ${finding}: ${goAdvice}`, { cause: reason });
  }
  const match = /\bgo(\d+)\.(\d+)/.exec(text);
  const [major, minor] = match === null ? [0, 0] : [Number(match[1]), Number(match[2])];
  if (major < minimumGo[0] || (major === minimumGo[0] && minor < minimumGo[1])) {
    throw new BuildError(`control plane: ${text} is too old: ${goAdvice}`);
  }
  return text;
}

function linkerFlags(module) {
  const set = Object.entries(module.variables).flatMap(([path, values]) =>
    Object.entries(values).map(([name, value]) => `-X ${path}.${name}=${value}`),
  );
  return ["-s", "-w", ...set].join(" ");
}

async function binaryFolder(module, version) {
  const hash = createHash("sha256").update(version).update(linkerFlags(module));
  for (const file of ["go.mod", "go.sum"])
    hash.update(await readFile(join(here, module.name, file)));
  const cache = process.env.LEADLINE_CACHE || join(homedir(), ".cache", "leadline");
  return join(cache, "control-plane", `${module.name}-${hash.digest("hex").slice(0, 16)}`, "bin");
}

async function exists(path) {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Every binary with its package and the path it has in the cache, built or not. */
async function plan() {
  const version = await goVersion();
  const rows = [];
  for (const module of modules) {
    const folder = await binaryFolder(module, version);
    for (const [name, goPackage] of Object.entries(module.binaries)) {
      rows.push({ name, goPackage, module, folder, path: join(folder, name) });
    }
  }
  return rows;
}

/** Builds beside the final name and renames, so that a build that is cut off leaves nothing that looks whole. */
async function build(row) {
  await mkdir(row.folder, { recursive: true });
  const unfinished = `${row.path}.${process.pid}.tmp`;
  const args = [
    "build",
    "-p",
    "2",
    "-ldflags",
    linkerFlags(row.module),
    "-o",
    unfinished,
    row.goPackage,
  ];
  const child = spawn("go", args, {
    cwd: join(here, row.module.name),
    env: {
      ...process.env,
      CGO_ENABLED: "0",
      GOFLAGS: "-trimpath -buildvcs=false -mod=readonly",
      GOWORK: "off",
    },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const code = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) {
    await rm(unfinished, { force: true });
    throw new BuildError(
      `control plane: building ${row.name} failed (go exited with ${code}, see above)`,
    );
  }
  await rename(unfinished, row.path);
}

async function buildMissing() {
  const rows = await plan();
  for (const [index, row] of rows.entries()) {
    const label = `control plane ${index + 1}/${rows.length} ${row.name}`;
    if (await exists(row.path)) {
      console.log(`${label}: present`);
      continue;
    }
    console.log(`${label}: building (the first one takes minutes)`);
    const startedMs = performance.now();
    await build(row);
    console.log(`${label}: built in ${Math.round((performance.now() - startedMs) / 1000)} s`);
  }
}

async function printPaths() {
  const rows = await plan();
  const missing = [];
  for (const row of rows) if (!(await exists(row.path))) missing.push(row.name);
  if (missing.length > 0) {
    throw new BuildError(
      `control plane: not built yet: ${missing.join(", ")}: run node scripts/control-plane/build.mjs`,
    );
  }
  console.log(JSON.stringify(Object.fromEntries(rows.map((row) => [row.name, row.path]))));
}

try {
  await (process.argv.includes("--paths") ? printPaths() : buildMissing());
} catch (reason) {
  if (!(reason instanceof BuildError)) throw reason;
  console.error(reason.message);
  process.exitCode = 1;
}
