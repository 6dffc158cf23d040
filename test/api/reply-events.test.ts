import { afterAll, expect, test } from "vitest";
import { idleCronJob } from "../support/cronjobs.ts";
import { listJobs } from "../support/jobs.ts";
import { openPlaces } from "../support/places.ts";

const { target, install, close } = await openPlaces("reply-events");
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
    "ce-id": `${encodeURIComponent(headers["ce-id"])}-created`,
  });
  expect(reply.headers.get("content-type")).toMatch(/^application\/json/);
  expect(await reply.json()).toMatchObject({ outcome: "created", event: { source: "/s", id: "über 1", type: "a" } });
  expect((await send({})).headers.get("ce-type")).toBe("internal.sync-trigger.duplicate.v1");

  const back = await fetch(place.fn.url, { method: "POST", headers: attributes });
  expect([back.status, await back.text(), back.headers.get("ce-type")]).toEqual([202, "", null]);
  expect(await listJobs(target.api, place.namespace)).toHaveLength(1);
});
