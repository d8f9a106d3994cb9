// The entry of every npm script: makes sure of what the task needs, then runs it on the Node that package.json pins.
// Node's own modules only, Node 20 or newer: a fresh clone has nothing else.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { spawn, spawnSync } from "node:child_process";
import { clearInterval, setInterval } from "node:timers";
import { fileURLToPath } from "node:url";
import path from "node:path";
import { constants } from "node:os";
import { obtainRedisServer } from "./redis-server.mjs";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const node = path.join(root, "node_modules", "node", "bin", "node");
const modules = (...parts) => path.join(root, "node_modules", ...parts);

const vitest = (config, ...args) => [
  modules("vitest", "vitest.mjs"),
  "run",
  "--config",
  config,
  ...args,
];

/** What each task runs, one command after the other. `redis`: a redis-server is found first. `build`: dist/ is made anew. */
const tasks = {
  test: { redis: true, steps: (args) => [vitest("vitest.config.ts", ...args)] },
  "test:e2e": {
    redis: true,
    build: true,
    steps: (args) => [
      [path.join(root, "scripts/control-plane/build.mjs")],
      vitest("vitest.e2e.config.ts", ...args),
    ],
  },
  demo: {
    redis: true,
    build: true,
    steps: (args) => [[path.join(root, "bin/leadline.js"), "demo", ...args]],
  },
  bench: {
    redis: true,
    build: true,
    steps: (args) => [[path.join(root, "test/bench/main.ts"), ...args]],
  },
  check: {
    isParallel: true,
    steps: () => [
      [
        modules("eslint", "bin", "eslint.js"),
        "--max-warnings",
        "0",
        "--cache",
        "--cache-location",
        "node_modules/.cache/eslint/",
        ".",
      ],
      [modules("typescript", "bin", "tsc"), "-p", "tsconfig.json"],
      [modules("prettier", "bin", "prettier.cjs"), "--check", "--log-level", "warn", "."],
      [
        modules("dependency-cruiser", "bin", "dependency-cruiser.mjs"),
        "--config",
        ".dependency-cruiser.cjs",
        "--output-type",
        "err",
        "src",
      ],
      [modules("knip", "bin", "knip.js")],
    ],
  },
  format: {
    steps: () => [
      [modules("prettier", "bin", "prettier.cjs"), "--write", "--log-level", "warn", "."],
    ],
  },
};

const { signals } = constants;
const say = (text) => process.stderr.write(`leadline: ${text}\n`);

/** Identifies what is installed. */
const lockHash = () =>
  createHash("sha256")
    .update(readFileSync(path.join(root, "package-lock.json")))
    .digest("hex");

/** Runs `npm ci` when node_modules is missing or belongs to another lock file. */
function ensureModules() {
  const stamp = modules(".cache", "leadline-lock-hash");
  const isCurrent =
    existsSync(node) && existsSync(stamp) && readFileSync(stamp, "utf8") === lockHash();
  if (isCurrent) return;
  say("installing node_modules (npm ci) ...");
  const result = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel", "error"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
  if (result.status !== 0) fail("npm ci failed; its output is above");
  if (!existsSync(node))
    fail(
      "npm ci did not install the package `node` (were install scripts disabled?); run `npm rebuild node`",
    );
  mkdirSync(path.dirname(stamp), { recursive: true });
  writeFileSync(stamp, lockHash());
}

function fail(message) {
  say(message);
  process.exit(1);
}

/** Runs one command on the pinned Node, passing signals on, and resolves with its exit code. */
function run(args, environment) {
  return new Promise((resolve) => {
    const child = spawn(node, args, { cwd: root, stdio: "inherit", env: environment });
    // A terminal sends Ctrl-C to the whole group already; a plain kill reaches only this process.
    const forward = (signal) => child.kill(signal);
    const ignore = () => {};
    process.on("SIGTERM", forward);
    process.on("SIGHUP", forward);
    process.on("SIGINT", ignore);
    // npm dies of a signal without passing it on: a child whose npm is gone would run on for ever.
    const parent = process.ppid;
    const watch = setInterval(() => {
      if (process.ppid !== parent) child.kill("SIGTERM");
    }, 500);
    const end = (code) => {
      clearInterval(watch);
      process.off("SIGTERM", forward);
      process.off("SIGHUP", forward);
      process.off("SIGINT", ignore);
      resolve(code);
    };
    child.on("error", (error) => {
      say(`cannot start ${node}: ${error.message}`);
      end(1);
    });
    child.on("exit", (code, signal) => end(code ?? 128 + (signals[signal] ?? 0)));
  });
}

const [name, ...args] = process.argv.slice(2);
const task = tasks[name];
if (task === undefined)
  fail(`unknown task ${String(name)}; the tasks are ${Object.keys(tasks).join(", ")}`);
ensureModules();
const environment = {
  ...process.env,
  PATH: `${modules(".bin")}${path.delimiter}${process.env.PATH}`,
};
if (task.redis === true) {
  try {
    environment.REDIS_SERVER = obtainRedisServer();
  } catch (error) {
    fail(error.message);
  }
}
if (task.build === true) {
  const code = await run([path.join(root, "scripts/build.mjs")], environment);
  if (code !== 0) process.exit(code);
}
const steps = task.steps(args);
if (task.isParallel === true) {
  // Two lanes: the first step is as long as all the others together.
  const [first, ...rest] = steps;
  const lane = async (lane) => {
    const codes = [];
    for (const step of lane) codes.push(await run(step, environment));
    return codes;
  };
  const codes = (await Promise.all([lane([first]), lane(rest)])).flat();
  process.exit(codes.find((code) => code !== 0) ?? 0);
}
for (const step of steps) {
  const code = await run(step, environment);
  if (code !== 0) process.exit(code);
}
