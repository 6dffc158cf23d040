// A stand-in for the Kraken Trading API's own sync job: it reads no account and writes no database, but it takes its
// time, counts, fails and stops as such a job does, so that everything around it can be tried.
//   SYNC_SECONDS  how long the two steps take together (default 6)
//   SYNC_FAIL     "trades" or "rewards": that step fails, exit code 3
import { setTimeout as sleep } from "node:timers/promises";

const steps = [
  { name: "trade sync", key: "trades", unit: "trades", pages: [50, 50, 17] },
  { name: "reward sync", key: "rewards", unit: "rewards", pages: [20, 8] },
];

const totalMs = readSeconds(process.env.SYNC_SECONDS) * 1000;
const failing = process.env.SYNC_FAIL ?? "";
const pageMs = totalMs / steps.reduce((count, step) => count + step.pages.length, 0);

process.on("SIGTERM", () => {
  console.log("SIGTERM: stopping before the sync is complete");
  process.exit(143);
});

if (failing !== "" && !steps.some((step) => step.key === failing)) {
  fail(`SYNC_FAIL is ${JSON.stringify(failing)}; it can be "trades" or "rewards"`, 2);
}

console.log("kraken-sync: a stand-in for the real sync job; it talks to no exchange and no database");
for (const step of steps) await run(step);
console.log("kraken-sync: done");

async function run({ name, key, unit, pages }) {
  console.log(`${name}: started`);
  let written = 0;
  for (const [i, count] of pages.entries()) {
    await sleep(pageMs);
    if (failing === key && i === pages.length - 1) {
      fail(`${name}: failed on page ${i + 1} of ${pages.length}: told to by SYNC_FAIL=${failing}`, 3);
    }
    written += count;
    console.log(`${name}: page ${i + 1} of ${pages.length}, ${written} ${unit} so far`);
  }
  console.log(`${name}: ${written} ${unit} written in ${pages.length} pages`);
}

function fail(reason, exitCode) {
  console.error(reason);
  process.exit(exitCode);
}

function readSeconds(text = "6") {
  const seconds = Number(text);
  if (text.trim() !== "" && Number.isFinite(seconds) && seconds >= 0) return seconds;
  return fail(`SYNC_SECONDS is ${JSON.stringify(text)}; it must be a number of seconds, 0 or more`, 2);
}
