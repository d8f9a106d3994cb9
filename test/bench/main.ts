/* `npm run bench [NAME] [--quick]`: prints the report and writes it between the marks of docs/benchmarks.md. */
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { benchServe, fullSizes, machineLine, quickSizes } from "./serve.ts";

const isQuick = process.argv.includes("--quick");
const name = process.argv.slice(2).find((argument) => !argument.startsWith("-")) ?? "serve";
const benches: Readonly<Record<string, () => Promise<string>>> = {
  serve: () => benchServe(isQuick ? quickSizes : fullSizes),
};
const bench = benches[name];
if (bench === undefined) {
  process.stderr.write(
    `unknown bench ${name}; the benches are ${Object.keys(benches).join(", ")}\n`,
  );
  process.exit(2);
}
const report = await bench();
process.stdout.write(`${report}\n`);
if (!isQuick) {
  const file = new URL("../../docs/benchmarks.md", import.meta.url);
  const text = readFileSync(file, "utf8");
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const head = text.slice(0, text.indexOf(begin) + begin.length);
  const tail = text.slice(text.indexOf(end));
  const when = new Date().toISOString().slice(0, 10);
  writeFileSync(
    file,
    `${head}\n${when}, ${machineLine()}, ${cpus().length} cores shared by everything below.\n\n${report}\n${tail}`,
  );
}
