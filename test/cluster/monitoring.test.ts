import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { expectGoodTrigger, startVictim } from "../hostile/support/victim.ts";
import { requireProgram } from "../support/debian-package.ts";
import { run } from "./machine/run.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "sync-trigger-monitoring-"));
  await requireProgram("promtool", "prometheus");
  const { spec } = parse(await readFile("manifests/components/monitoring/rules.yaml", "utf8"));
  await writeFile(join(directory, "rules.yaml"), stringify(spec));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

test("promtool takes the alert rules", async () => {
  const rules = await run("promtool", ["check", "rules", join(directory, "rules.yaml")]);
  expect(rules).toMatch(/SUCCESS: 6 rules found/);
});

const requests = (labels: string) => `sync_trigger_requests_total{namespace="n",door="event",${labels}}`;
const reads = (labels: string) => `sync_trigger_requests_total{namespace="n",door="read",${labels}}`;

/** What happened, minute by minute from 0 on (`_`: no pod), and which alerts are there an hour later or when said. */
const cases: [what: string, series: Record<string, string>, atMinutes: number, alerts: string[]][] = [
  ["nothing", {}, 60, []],
  ["good requests", { [requests('outcome="created",code="200"')]: "0+3x60" }, 60, []],
  [
    "a 502 of a pod that lived for one scrape",
    { [requests('outcome="api-refused",code="502"')]: "_x49 1 _x20" },
    60,
    ["SyncTriggerRefusedByApiServer"],
  ],
  ["a 502 an hour ago of a pod that still lives", { [requests('outcome="api-refused",code="502"')]: "1x60" }, 60, []],
  ["a 502 of a page that may not read", { [reads('outcome="api-refused",code="502"')]: "_x49 1 _x20" }, 60, []],
  ["one 503", { [requests('outcome="api-unavailable",code="503"')]: "0x39 1x30" }, 60, []],
  [
    "503 for half an hour",
    { [requests('outcome="api-unavailable",code="503"')]: "0x20 1+1x40" },
    60,
    ["SyncTriggerFails"],
  ],
  ["503 because pods end", { [requests('outcome="shutting-down",code="503"')]: "0+1x60" }, 60, []],
  ["a few wrong tokens", { [requests('outcome="unauthenticated",code="401"')]: "0x50 5x10" }, 60, []],
  [
    "many wrong tokens",
    { [requests('outcome="unauthenticated",code="401"')]: "0+10x60" },
    60,
    ["SyncTriggerCredentialsRefused"],
  ],
  [
    "the policy gone",
    { 'sync_trigger_policy_enforced{namespace="n"}': "1x54 0x5" },
    60,
    ["SyncTriggerPolicyNotEnforced"],
  ],
  ["the policy there", { 'sync_trigger_policy_enforced{namespace="n"}': "1x60" }, 60, []],
  [
    "slow triggers",
    {
      'sync_trigger_request_duration_seconds_bucket{namespace="n",door="http",le="5"}': "0x60",
      'sync_trigger_request_duration_seconds_bucket{namespace="n",door="http",le="10"}': "0+9x60",
      'sync_trigger_request_duration_seconds_bucket{namespace="n",door="http",le="+Inf"}': "0+9x60",
    },
    60,
    ["SyncTriggerSlow"],
  ],
  [
    "no success for 30 h",
    { 'sync_trigger_last_success_timestamp_seconds{namespace="n"}': "0x1800" },
    1_800,
    ["SyncTriggerCronJobLate"],
  ],
  ["a success 26 h ago", { 'sync_trigger_last_success_timestamp_seconds{namespace="n"}': "0x1560" }, 1_560, []],
];

test.each(cases)("after %s the right alerts are there", async (what, series, atMinutes, alerts) => {
  const all = ["RefusedByApiServer", "Fails", "CredentialsRefused", "PolicyNotEnforced", "Slow", "CronJobLate"];
  const suite = {
    rule_files: [join(directory, "rules.yaml")],
    evaluation_interval: "1m",
    tests: [
      {
        interval: "1m",
        input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
        // How many of each: promtool compares whole alerts elsewhere, words included.
        promql_expr_test: all.map((name) => ({
          expr: `count(ALERTS{alertname="SyncTrigger${name}",alertstate="firing"}) or vector(0)`,
          eval_time: `${atMinutes}m`,
          exp_samples: [{ labels: "{}", value: alerts.includes(`SyncTrigger${name}`) ? 1 : 0 }],
        })),
      },
    ],
  };
  const file = join(directory, `${what.replaceAll(/\W+/g, "-")}.yaml`);
  await writeFile(file, stringify(suite));
  expect(await run("promtool", ["test", "rules", file])).toContain("SUCCESS");
});

test("promtool takes what /metrics answers", { timeout: 60_000 }, async () => {
  const victim = await startVictim();
  try {
    await expectGoodTrigger(victim);
    await fetch(`${victim.url}/jobs/done`);
    await fetch(`${victim.url}/nothing`);
    const text = await (await fetch(`${victim.url}/metrics`)).text();
    expect(text).toContain('sync_trigger_requests_total{door="http",outcome="created",code="200"} 1');
    expect(await run("promtool", ["check", "metrics"], { input: text })).toBe("");
  } finally {
    await victim.stop();
  }
});
