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

type Says = { answer?: object; line: object; series: string };

async function countsOf(fn: FunctionProcess): Promise<string[]> {
  const text = await (await fetch(`${fn.url}/metrics`, { headers: { authorization } })).text();
  const counts = text.split("\n").filter((line) => line.startsWith("sync_trigger_requests_total{door="));
  return counts.filter((line) => !line.includes('door="read"') && !line.includes('door="probe"'));
}

/** Sends a request; the one log line of it and the one count that it moved are as expected. */
async function send(
  fn: FunctionProcess,
  init: { headers: Record<string, string>; body: string },
  door: string,
  says: Says,
) {
  const id = crypto.randomUUID();
  const before = await countsOf(fn);
  const headers = { authorization, "content-type": "application/json", "x-request-id": id, ...init.headers };
  const response = await fetch(`${fn.url}/trigger-sync`, { method: "POST", headers, body: init.body });
  const linesOf = () => fn.log.filter((line) => line.id === id);
  await until(`the log line of ${id}`, () => linesOf().length > 0);
  expect(linesOf()).toEqual([expect.objectContaining({ caller: "token:page", ...says.line })]);
  const counted = (await countsOf(fn)).filter((count) => !before.includes(count));
  expect(counted).toEqual([`sync_trigger_requests_total{door="${door}",${says.series}} 1`]);
  return response;
}

/** One decision over HTTP: what the answer, the log line and the counter say of it. */
async function decideOverHttp(fn: FunctionProcess, key: string, request: object, says: Says) {
  const init = { headers: { "idempotency-key": key }, body: JSON.stringify(request) };
  const response = await send(fn, init, "http", { ...says, line: { via: "http", ...says.line } });
  expect(await response.json()).toMatchObject(says.answer ?? {});
}

/** One decision about an event, whose sender is told nothing: what the log line and the counter say of it. */
async function decideEvent(fn: FunctionProcess, id: string, request: object, says: Says, type = "requested") {
  const headers = {
    ...{ "ce-specversion": "1.0", "ce-id": id, "ce-source": "/s" },
    "ce-type": `internal.sync-trigger.${type}.v1`,
  };
  const response = await send(fn, { headers, body: JSON.stringify(request) }, "event", says);
  expect([response.status, await response.text()]).toEqual([202, ""]);
}

test("the answer, one log line and one metric name each decision and its cause", async () => {
  const { namespace, fn } = await install("decisions", idleCronJob("sync"), settings);
  const decide = (key: string, request: object, says: Says) => decideOverHttp(fn, key, request, says);

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

test("each decision about an event is named by its log line and the metric; a suspended CronJob may be skipped too", async () => {
  const { namespace, fn } = await install("event decisions", idleCronJob("sync"), {
    ...settings,
    SUSPENDED_POLICY: "skip",
  });
  const event = (id: string) => ({ event: { id, source: "/s", type: "internal.sync-trigger.requested.v1" } });
  const line = (id: string, outcome: string) => ({ via: "event", outcome, ...event(id) });
  const series = (outcome: string, cause = "") => `outcome="${outcome}",${cause && `cause="${cause}",`}code="202"`;
  const decide = (id: string, request: object, outcome: string, cause?: string) =>
    decideEvent(fn, id, request, {
      line: { ...line(id, outcome), ...(cause ? { cause, why: expect.any(String) } : {}) },
      series: series(outcome, cause),
    });
  await decide("1", { reason: "by event" }, "created");
  await decide("1", {}, "duplicate");
  await decide("2", { onOverlap: "join" }, "joined", "unfinished-job");
  await decide("2", { onOverlap: "forbid" }, "refused", "unfinished-job");
  const now = new Date().toISOString().replace(/\.\d+/, "");
  await patchCronJob(namespace, { status: { lastSuccessfulTime: now } }, "/status");
  await decide("2", { ifOlderThan: "1h" }, "skipped", "recent-success");
  await patchCronJob(namespace, { spec: { suspend: true } });
  await decide("2", {}, "skipped", "suspended");
  await decideEvent(fn, "3", {}, { line: { outcome: "ignored" }, series: series("ignored") }, "created");
  const [job, ...more] = (await listJobs(target.api, namespace)).map(metadataOf);
  expect(more).toEqual([]);
  expect(job?.annotations).toMatchObject({
    "sync-trigger.internal/requested-by": "token:page",
    "sync-trigger.internal/via": "event",
    "sync-trigger.internal/reason": "by event",
    "sync-trigger.internal/event-source": "/s",
    "sync-trigger.internal/event-id": "1",
  });
});
