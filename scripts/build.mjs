// Compiles src/ to dist/. Runs as npm's `prepare`, on whatever Node npm itself runs on.
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import path from "node:path";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const compiler = path.join(root, "node_modules/typescript/bin/tsc");
const output = path.join(root, "dist");

if (!existsSync(compiler)) {
  // `npm ci --omit=dev` after a full install: dist/ is already there, and nothing here could make it again.
  if (existsSync(path.join(output, "main.js"))) process.exit(0);
  console.error(
    "leadline: cannot build, TypeScript is not installed; run `npm ci` without --omit=dev",
  );
  process.exit(1);
}
rmSync(output, { recursive: true, force: true });
rmSync(path.join(root, "node_modules/.cache/tsc/tsconfig.build.tsbuildinfo"), { force: true });
mkdirSync(output, { recursive: true });
const result = spawnSync(
  process.execPath,
  [compiler, "-p", path.join(root, "tsconfig.build.json")],
  {
    stdio: "inherit",
    cwd: root,
  },
);
process.exit(result.status ?? 1);
