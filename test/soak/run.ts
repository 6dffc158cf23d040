// Good and bad traffic for an hour while the API server comes and goes: npm run test:soak -- --minutes 60 --restarts 12
// The function runs on an etcd and a kube-apiserver of its own on this machine; Go builds them once.
import { parseArgs } from "node:util";
import bundleFunction from "../support/bundle-function.ts";
import { describe, judge } from "./judge.ts";
import { runSoak } from "./run-soak.ts";

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "60" }, restarts: { type: "string", default: "12" } },
});
const [minutes, restarts] = [Number(values.minutes), Number(values.restarts)];
if (!(minutes > 0 && Number.isInteger(restarts) && restarts >= 0 && minutes * 60 > restarts * 20)) {
  console.error("--minutes above 0, --restarts a whole number, and at least 20 s for each restart");
  process.exit(1);
}
const forgetBundle = await bundleFunction();
let next = 0;
const report = await runSoak({
  ...{ minutes, restarts },
  onReading({ atS, rssMb, sockets }, requests) {
    if (atS < next) return;
    next = atS + 60;
    console.log(`${String(atS).padStart(5)} s: ${requests} requests, ${rssMb} MB, ${sockets} sockets`);
  },
});
await forgetBundle();
for (const line of describe(report)) console.log(line);
const problems = judge(report);
for (const problem of problems) console.log(`PROBLEM ${problem}`);
console.log(
  problems.length === 0 ? "memory and sockets stayed flat, and every answer was right" : "something is wrong",
);
process.exitCode = problems.length === 0 ? 0 : 1;
