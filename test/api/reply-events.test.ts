import { afterAll, expect, test } from "vitest";
import type { JsonObject } from "../../functions/core/json.ts";
import { idleCronJob } from "../support/cronjobs.ts";
import { listJobs, metadataOf } from "../support/jobs.ts";
import { openPlaces } from "../support/places.ts";

const { target, install, patchCronJob, close } = await openPlaces("reply-events");
afterAll(close);

test("with REPLY_EVENTS the outcome comes back as an event, which is ignored when it comes in again", async () => {
  const place = await install("replies", idleCronJob("sync"), { REPLY_EVENTS: "on" }, false);
  const headers = { "ce-specversion": "1.0", "ce-type": "a", "ce-source": "/s", "ce-id": "über 1" };
  const send = (more: Record<string, string>) =>
    fetch(place.fn.url, {
      method: "POST",
      headers: { ...headers, "ce-id": encodeURIComponent(headers["ce-id"]), ...more },
    });
  const reply = await send({});
  expect(reply.status).toBe(200);
  const attributes = Object.fromEntries([...reply.headers].filter(([name]) => name.startsWith("ce-")));
  expect(attributes).toMatchObject({
    "ce-specversion": "1.0",
    "ce-type": "internal.sync-trigger.created.v1",
    "ce-source": `/apis/batch/v1/namespaces/${place.namespace}/cronjobs/sync`,
    "ce-id": expect.stringMatching(/^[0-9a-f]{64}-created$/),
  });
  expect(reply.headers.get("content-type")).toMatch(/^application\/json/);
  const [job] = await listJobs(target.api, place.namespace);
  const { annotations } = metadataOf(job as JsonObject);
  expect(await reply.json()).toMatchObject({
    outcome: "created",
    job: { name: metadataOf(job as JsonObject).name },
    key: { kind: "event", parts: ["/s", "über 1"] },
    keyDigest: annotations?.["sync-trigger.internal/key-digest"],
    event: { source: "/s", id: "über 1", type: "a" },
  });
  expect((await send({})).headers.get("ce-type")).toBe("internal.sync-trigger.duplicate.v1");
  const another = await send({ "ce-source": "/another" });
  expect(another.headers.get("ce-type"), "an event of the same id from another source").toBe(attributes["ce-type"]);
  expect(another.headers.get("ce-id"), "is another one, and so is its reply").not.toBe(attributes["ce-id"]);

  const back = await fetch(place.fn.url, { method: "POST", headers: attributes });
  expect([back.status, await back.text(), back.headers.get("ce-type")]).toEqual([202, "", null]);
  expect(await listJobs(target.api, place.namespace)).toHaveLength(2);
});

test("the other outcomes come back as events too", async () => {
  const settings = { REPLY_EVENTS: "on", OVERLAP_POLICY: "join" };
  const place = await install("other replies", idleCronJob("sync"), settings);
  const send = async (id: string, data: object) => {
    const headers = {
      "ce-specversion": "1.0",
      "ce-type": "internal.sync-trigger.requested.v1",
      "ce-source": "/s",
      "ce-id": id,
    };
    const answer = await fetch(place.fn.url, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify(data),
    });
    return [answer.status, answer.headers.get("ce-type"), (await answer.json()) as object];
  };
  const type = (outcome: string) => `internal.sync-trigger.${outcome}.v1`;
  const [, , { job }] = (await send("1", {})) as [number, string, { job: JsonObject }];
  const reason = `Job ${job.name} is unfinished`;
  expect(await send("2", {})).toEqual([
    200,
    type("joined"),
    expect.objectContaining({ outcome: "joined", job, reason }),
  ]);
  expect(await send("3", { onOverlap: "forbid" })).toEqual([
    200,
    type("refused"),
    expect.objectContaining({ outcome: "refused", job, reason }),
  ]);
  await patchCronJob(place.namespace, { status: { lastSuccessfulTime: new Date() } }, "/status");
  expect(await send("4", { ifOlderThan: "1h" })).toEqual([
    200,
    type("skipped"),
    expect.objectContaining({ outcome: "skipped", job: null, reason: expect.any(String) }),
  ]);
});
