import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { idleCronJob } from "../support/cronjobs.ts";
import type { FunctionProcess } from "../support/function-process.ts";
import { listJobs, metadataOf } from "../support/jobs.ts";
import { openPlaces } from "../support/places.ts";
import { until } from "../support/until.ts";

const { target, install, patchCronJob, close } = await openPlaces("decisions");
const directory = await mkdtemp(join(tmpdir(), "sync-trigger-test-"));
afterAll(async () => {
  await close();
  await rm(directory, { recursive: true });
});

const token = "a-token-of-the-settings-page";
const authorization = `Bearer ${token}`;
await writeFile(join(directory, "page"), token);
const settings = {
  ...{ DEDUPE_WINDOW: "1h", SUSPENDED_POLICY: "reject" },
  ...{ AUTH_MODE: "token", AUTH_TOKEN_DIRECTORY: directory },
  ...{ AUTH_TRIGGER_SUBJECTS: "token:page", AUTH_READ_SUBJECTS: "token:page" },
};

async function countsOf(fn: FunctionProcess): Promise<string[]> {
  const text = await (await fetch(`${fn.url}/metrics`, { headers: { authorization } })).text();
  const counts = text.split("\n").filter((line) => line.startsWith("sync_trigger_requests_total{door="));
  return counts.filter((line) => !line.includes('door="read"') && !line.includes('door="probe"'));
}

test("the answer, one log line and one metric name each decision and its cause", async () => {
  const { namespace, fn } = await install("decisions", idleCronJob("sync"), settings);

  /** One decision: what the answer, the log line and the counter say of it. */
  async function decide(key: string, request: object, says: { answer: object; line: object; series: string }) {
    const id = crypto.randomUUID();
    const before = await countsOf(fn);
    const response = await fetch(`${fn.url}/trigger-sync`, {
      method: "POST",
      headers: { authorization, "content-type": "application/json", "idempotency-key": key, "x-request-id": id },
      body: JSON.stringify(request),
    });
    expect(await response.json()).toMatchObject(says.answer);
    const linesOf = () => fn.log.filter((line) => line.id === id);
    await until(`the log line of ${id}`, () => linesOf().length > 0);
    expect(linesOf()).toEqual([expect.objectContaining({ via: "http", caller: "token:page", ...says.line })]);
    const counted = (await countsOf(fn)).filter((count) => !before.includes(count));
    expect(counted).toEqual([`sync_trigger_requests_total{door="http",${says.series}} 1`]);
  }

  await decide(
    "a",
    { reason: "by hand" },
    {
      answer: { outcome: "created" },
      line: { outcome: "created" },
      series: 'outcome="created",code="200"',
    },
  );
  const [job] = (await listJobs(target.api, namespace)).map(metadataOf);
  await decide(
    "a",
    {},
    {
      answer: { outcome: "duplicate", job: { name: job?.name } },
      line: { outcome: "duplicate", job: job?.name },
      series: 'outcome="duplicate",code="200"',
    },
  );
  const unfinished = `Job ${job?.name} is unfinished`;
  const line = { why: unfinished, cause: "unfinished-job", job: job?.name };
  await decide(
    "b",
    { onOverlap: "join" },
    {
      answer: { outcome: "joined", reason: unfinished },
      line: { outcome: "joined", ...line },
      series: 'outcome="joined",cause="unfinished-job",code="200"',
    },
  );
  await decide(
    "b",
    { onOverlap: "forbid" },
    {
      answer: { outcome: "refused", detail: unfinished },
      line: { outcome: "refused", ...line },
      series: 'outcome="refused",cause="unfinished-job",code="409"',
    },
  );
  const now = new Date().toISOString().replace(/\.\d+/, "");
  await patchCronJob(namespace, { status: { lastSuccessfulTime: now } }, "/status");
  const recent = `the CronJob succeeded at ${now}, which is more recent than asked for`;
  await decide(
    "b",
    { ifOlderThan: "1h" },
    {
      answer: { outcome: "skipped", reason: recent },
      line: { outcome: "skipped", why: recent, cause: "recent-success" },
      series: 'outcome="skipped",cause="recent-success",code="200"',
    },
  );
  await patchCronJob(namespace, { spec: { suspend: true } });
  const suspended = "the CronJob is suspended";
  await decide(
    "b",
    {},
    {
      answer: { outcome: "refused", detail: suspended },
      line: { outcome: "refused", why: suspended, cause: "suspended" },
      series: 'outcome="refused",cause="suspended",code="409"',
    },
  );

  expect(job?.annotations, "who, via what and why").toMatchObject({
    "sync-trigger.internal/requested-by": "token:page",
    "sync-trigger.internal/via": "http",
    "sync-trigger.internal/reason": "by hand",
  });
});
