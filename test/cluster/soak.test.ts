import { expect, test } from "vitest";
import { describe, judge } from "../soak/judge.ts";
import { runSoak } from "../soak/run-soak.ts";

// The short one; an hour is a command: npm run test:soak.
const minutes = 2;

test(`${minutes} minutes of good and bad traffic, with two restarts of the API server, leave memory and sockets flat`, {
  timeout: (minutes + 4) * 60_000,
}, async () => {
  const report = await runSoak({ minutes, restarts: 2 });
  console.log(describe(report).join("\n"));
  expect(judge(report)).toEqual([]);
  expect(report.requests).toBeGreaterThan(5_000);
  const outage = Object.entries(report.counts).filter(([name]) => /: 50[34]$/.test(name));
  expect(outage.length, "an API server whose absence nobody sees proves nothing").toBeGreaterThan(0);
});
