// Compiles src/ to dist/. Runs as npm's `prepare`, on whatever Node npm itself runs on.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import path from "node:path";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const compiler = path.join(root, "node_modules/typescript/bin/tsc");
const output = path.join(root, "dist");
const stamp = path.join(output, ".sources");

if (!existsSync(compiler)) {
  // `npm ci --omit=dev` after a full install: dist/ is already there, and nothing here could make it again.
  if (existsSync(path.join(output, "main.js"))) process.exit(0);
  console.error(
    "leadline: cannot build, TypeScript is not installed; run `npm ci` without --omit=dev",
  );
  process.exit(1);
}

/** Identifies what is compiled: every source, the settings and the compiler. */
function sourcesHash() {
  const hash = createHash("sha256");
  const sources = readdirSync(path.join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .sort()
    .map((file) => path.join("src", file));
  for (const file of [...sources, "tsconfig.json", "tsconfig.build.json", "package-lock.json"]) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(path.join(root, file)))
      .update("\0");
  }
  return hash.digest("hex");
}

const wanted = sourcesHash();
if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) process.exit(0);

// Beside dist/ and then in its place: a build that is interrupted, or runs beside a server, takes nothing away.
const fresh = path.join(root, `dist.${process.pid}`);
const old = path.join(root, `dist.${process.pid}.old`);
console.error("leadline: building ...");
const result = spawnSync(
  process.execPath,
  [
    ...[compiler, "-p", path.join(root, "tsconfig.build.json"), "--outDir", fresh],
    ...["--incremental", "false", "--tsBuildInfoFile", "null"],
  ],
  { stdio: "inherit", cwd: root },
);
if (result.status !== 0) {
  rmSync(fresh, { recursive: true, force: true });
  process.exit(result.status ?? 1);
}
writeFileSync(path.join(fresh, ".sources"), wanted);
if (existsSync(output)) renameSync(output, old);
renameSync(fresh, output);
rmSync(old, { recursive: true, force: true });
