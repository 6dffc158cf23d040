// Adds up the reports (vitest's JSON) of a directory, prints the one closing line, and fails on any failure.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const directory = process.argv[2] ?? ".";
const total = { passed: 0, failed: 0, skipped: 0 };
const files = readdirSync(directory);
const reports = files.filter((file) => file.endsWith(".json"));

for (const file of reports) {
  const report = JSON.parse(readFileSync(join(directory, file), "utf8"));
  // A file that fails before its first test has no failed test of its own.
  const brokenFiles = (report.testResults ?? []).filter(
    ({ status, assertionResults }) => status === "failed" && !assertionResults.some((test) => test.status === "failed"),
  );
  total.passed += report.numPassedTests;
  total.failed += report.numFailedTests + brokenFiles.length;
  total.skipped += (report.numPendingTests ?? 0) + (report.numTodoTests ?? 0);
  for (const { name, message } of brokenFiles) console.log(`failed: ${name}${why([message])}`);
  for (const { name, assertionResults } of report.testResults ?? []) {
    for (const test of assertionResults) {
      if (test.status === "passed") continue;
      console.log(`${test.status}: ${name}: ${test.fullName}${why(test.failureMessages)}`);
    }
  }
}
// A level that ended badly although its report shows no failure (lint, types, set-up, a crash) counts as one.
for (const file of files.filter((name) => name.endsWith(".failed"))) {
  console.log(`failed: level ${file.replace(/\.failed$/, "")}`);
  if (total.failed === 0 || !files.includes(file.replace(/\.failed$/, ".json"))) total.failed += 1;
}
if (total.passed === 0) total.failed += 1;

console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 ? 1 : 0;

/** The beginning of each message, so that a failure that comes but once is understood from the end of the output. */
function why(messages) {
  const isOurs = (line) => !/^\s+at .*(node_modules|<anonymous>)/.test(line);
  const lines = (messages ?? []).flatMap((message) => (message ?? "").split("\n").filter(isOurs).slice(0, 12));
  return lines.map((line) => `\n  | ${line.slice(0, 300)}`).join("");
}
