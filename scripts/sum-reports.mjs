// Adds up vitest's JSON reports into the gate's last line. A step without a report, or with a skipped test, counts as a failure.
import { existsSync, readFileSync } from "node:fs";

const [stepsFailed, ...files] = process.argv.slice(2);
let passed = 0;
let failed = 0;
for (const file of files) {
  if (!existsSync(file)) {
    console.log(`no report ${file}: the step ended before its tests`);
    failed += 1;
    continue;
  }
  const report = JSON.parse(readFileSync(file, "utf8"));
  passed += report.numPassedTests;
  failed += report.numFailedTests + report.numPendingTests + (report.numTodoTests ?? 0);
  if (report.numPendingTests > 0)
    console.log(`${file}: ${report.numPendingTests} skipped tests count as failed`);
  if (report.numPassedTests === 0) failed += 1;
}
// A step can fail without a failing test (lint, an unhandled rejection): it must show in the line that is read.
if (failed === 0) failed = Number(stepsFailed);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && stepsFailed === "0" ? 0 : 1);
