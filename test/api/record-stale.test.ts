import { afterAll, expect, test } from "vitest";
import { readTrigger } from "../support/answers.ts";
import { idleCronJob } from "../support/cronjobs.ts";
import { openPlaces, type Place, triggerOver } from "../support/places.ts";

const { install, startReplica, startScheduledJob, deleteJob, patchCronJob, close } = await openPlaces("record-stale");
afterAll(close);

const succeededNow = () => ({ status: { lastSuccessfulTime: `${new Date().toISOString().slice(0, 19)}Z` } });

/** Why a replica would make no Job, and how that comes about. */
const reasons: [
  why: string,
  env: Record<string, string>,
  request: object,
  cause: (place: Place) => Promise<unknown>,
][] = [
  ["a recent success", {}, { ifOlderThan: "1h" }, (at) => patchCronJob(at.namespace, succeededNow(), "/status")],
  [
    "a suspended CronJob",
    { SUSPENDED_POLICY: "reject" },
    {},
    ({ namespace }) => patchCronJob(namespace, { spec: { suspend: true } }),
  ],
  ["an unfinished Job", { OVERLAP_POLICY: "forbid" }, {}, ({ namespace }) => startScheduledJob(namespace)],
  [
    "a policy that is not to be had",
    { OVERLAP_POLICY: "inherit" },
    {},
    ({ namespace }) => patchCronJob(namespace, { spec: { concurrencyPolicy: "Replace" } }),
  ],
];

test.each(reasons)(
  "beside %s a key whose Job is gone is a duplicate at a replica that read the record before another wrote the key there",
  async (why, more, request, cause) => {
    const env = { DEDUPE_WINDOW: "1h", ...more };
    const place = await install(why, idleCronJob("sync"), env);
    const replica = { fn: await startReplica(place.namespace, env) };
    const before = await readTrigger(await triggerOver(replica, "before"));
    await deleteJob(place.namespace, before.job.name);
    const made = await readTrigger(await triggerOver(place, "key", request));
    await deleteJob(place.namespace, made.job.name);
    await cause(place);
    expect(await readTrigger(await triggerOver(replica, "key", request))).toEqual({ ...made, outcome: "duplicate" });
  },
);
