import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { readTrigger } from "../support/answers.ts";
import { idleCronJob } from "../support/cronjobs.ts";
import { listJobs } from "../support/jobs.ts";
import { openPlaces, triggerOver } from "../support/places.ts";

const { target, install, patchCronJob, close } = await openPlaces("when-needed");
afterAll(close);

describe("only when needed", () => {
  test("ifOlderThan skips while the last success is more recent, and runs otherwise", async () => {
    const place = await install("fresh", idleCronJob("sync"), {}, false);
    expect((await readTrigger(await triggerOver(place, "never succeeded", { ifOlderThan: "26h" }))).outcome).toBe(
      "created",
    );
    const hourAgo = new Date(Date.now() - 3_600_000).toISOString().replace(/\.\d+/, "");
    await patchCronJob(place.namespace, { status: { lastSuccessfulTime: hourAgo } }, "/status");
    expect(await readTrigger(await triggerOver(place, "2", { ifOlderThan: "26h" }))).toEqual({
      outcome: "skipped",
      reason: `the CronJob succeeded at ${hourAgo}, which is more recent than asked for`,
      job: null,
      links: {},
    });
    const made = await readTrigger(await triggerOver(place, "2", { ifOlderThan: "30m" }));
    expect(made.outcome).toBe("created");
    expect(await listJobs(target.api, place.namespace)).toHaveLength(2);
  });

  test("a key that made its Job is a duplicate before ifOlderThan is asked", async () => {
    const place = await install("fresh key", idleCronJob("sync"), {}, false);
    const first = await readTrigger(await triggerOver(place, "k", { ifOlderThan: "26h" }));
    const now = new Date().toISOString().replace(/\.\d+/, "");
    await patchCronJob(place.namespace, { status: { lastSuccessfulTime: now } }, "/status");
    expect(await readTrigger(await triggerOver(place, "k", { ifOlderThan: "26h" }))).toEqual({
      ...first,
      outcome: "duplicate",
    });
  });

  test("the shipped fallback runs when the last success is 26 h old, and not beside its own run", async () => {
    const file = join(import.meta.dirname, "../../manifests/components/ping-fallback/ping-source.yaml");
    const { data } = (parse(readFileSync(file, "utf8")) as { spec: { data: string } }).spec;
    const place = await install("fallback", idleCronJob("sync"), { DEDUPE_WINDOW: "1d", REPLY_EVENTS: "on" });
    const hourMs = 3_600_000;
    const tick = async (index: number, successAgoMs: number) => {
      const lastSuccessfulTime = new Date(Date.now() - successAgoMs).toISOString().replace(/\.\d+/, "");
      await patchCronJob(place.namespace, { status: { lastSuccessfulTime } }, "/status");
      const answer = await fetch(place.fn.url, {
        method: "POST",
        headers: {
          ...{
            "ce-specversion": "1.0",
            "ce-type": "dev.knative.sources.ping",
            "ce-source": "/pings",
            "ce-id": `${index}`,
          },
          ...{ "ce-time": new Date(index * (hourMs / 2)).toISOString(), "content-type": "application/json" },
        },
        body: data,
      });
      return answer.headers.get("ce-type");
    };
    const outcomes: unknown[] = [];
    for (const agoMs of [26 * hourMs - 60_000, 26 * hourMs + 60_000, 27 * hourMs]) {
      outcomes.push(await tick(outcomes.length, agoMs));
    }
    const type = (outcome: string) => `internal.sync-trigger.${outcome}.v1`;
    expect(outcomes).toEqual([type("skipped"), type("created"), type("refused")]);
    expect(await listJobs(target.api, place.namespace)).toHaveLength(1);
  });

  test.each([
    ["allow", 200, "created"],
    ["skip", 200, "skipped"],
    ["reject", 409, "refused"],
  ])("a suspended CronJob with SUSPENDED_POLICY %s: %i %s", async (policy, status, outcome) => {
    const place = await install(`suspended ${policy}`, idleCronJob("sync"), { SUSPENDED_POLICY: policy }, false);
    await patchCronJob(place.namespace, { spec: { suspend: true } });
    const answer = await triggerOver(place, "k");
    expect([answer.status, await answer.json()]).toEqual([status, expect.objectContaining({ outcome })]);
    expect(await listJobs(target.api, place.namespace)).toHaveLength(outcome === "created" ? 1 : 0);
  });
});
