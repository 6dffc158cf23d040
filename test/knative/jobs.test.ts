import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { beforeAll, expect, test } from "vitest";
import { lookupInCluster, requestInCluster } from "../cluster/cluster-http.ts";
import { api } from "./support/cluster.ts";
import { withoutPage } from "./support/copy-overlay.ts";
import { eventually } from "./support/eventually.ts";
import { type Installation, install } from "./support/install.ts";
import { trigger } from "./support/jobs.ts";
import { removeAfterwards } from "./support/keep-on-failure.ts";
import { syncCronJob } from "./support/sync-cronjob.ts";

let kraken: Installation;
beforeAll(async () => {
  kraken = await install({
    overlay: "kraken",
    what: "jobs",
    patches: [withoutPage],
    cronJob: syncCronJob({ env: { SYNC_SECONDS: "12" } }),
  });
});
removeAfterwards(() => [kraken]);

async function get(path: string, headers: Record<string, string> = {}) {
  const answer = await requestInCluster(`${kraken.url}${path}`, { headers });
  return { ...answer, json: () => JSON.parse(answer.body) };
}

/** Opens a stream and gives its response at its first bytes. */
async function open(path: string): Promise<IncomingMessage> {
  const signal = AbortSignal.timeout(300_000);
  const outgoing = request(`${kraken.url}${path}`, { lookup: lookupInCluster, signal });
  outgoing.end();
  const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
  return incoming;
}

test("a followed log comes through the gateway while it is written, and ends with the Job", async () => {
  const { job } = await trigger(kraken);
  const incoming = await open(`/jobs/${job?.name}/logs?follow=true`);
  expect(incoming.statusCode).toBe(200);
  let text = "";
  let statusAtFirstLine: unknown;
  for await (const chunk of incoming.setEncoding("utf8") as AsyncIterable<string>) {
    text += chunk;
    if (statusAtFirstLine !== undefined || !text.includes("trade sync: started")) continue;
    const stored = await api.expect("GET", `/apis/batch/v1/namespaces/${kraken.namespace}/jobs/${job?.name}`);
    statusAtFirstLine = (stored.status as { active?: number }).active;
  }
  expect(statusAtFirstLine, "pods that still ran when the first line was here").toBe(1);
  expect(text.trimEnd().split("\n").at(-1)).toBe("kraken-sync: done");
});

test("the runs are listed, and a wait ends with the Job's end", async () => {
  const { job } = await trigger(kraken, { request: { reason: "to be waited for" } });
  // Not before it runs: the longest wait is shorter than a busy node may need for a pod.
  await eventually("the sync to run", async () => (await get(`/jobs/${job?.name}`)).json().state === "running");
  const waited = await get(`/jobs/${job?.name}`, { prefer: "wait=25" });
  expect(waited.headers["preference-applied"]).toBe("wait=25");
  expect(waited.json()).toMatchObject({ name: job?.name, state: "succeeded", requestedReason: "to be waited for" });

  const latest = await get("/jobs/latest");
  expect(latest.json()).toMatchObject({ name: job?.name, origin: "manual", via: "http", state: "succeeded" });
  const { jobs } = (await get("/jobs?limit=5")).json() as { jobs: { name: string; state: string }[] };
  expect(jobs.map(({ state }) => state)).toEqual(jobs.map(() => "succeeded"));
  expect(jobs[0]?.name).toBe(job?.name);
});
