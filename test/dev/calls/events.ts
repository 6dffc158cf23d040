import { eventOfJob } from "../../../functions/core/event-of-job.ts";
import { type Step, variants } from "./step.ts";

/** Core events, as a component that reports them makes them. */
export const eventSteps = (namespace: string): Step[] => {
  const collection = `/api/v1/namespaces/${namespace}/events`;
  const about = { apiVersion: "batch/v1", kind: "CronJob", namespace, name: "smallest" };
  const event = (metadata: object, fields: object = {}) => ({
    apiVersion: "v1",
    kind: "Event",
    metadata,
    involvedObject: about,
    reason: "Triggered",
    message: "made a Job",
    type: "Normal",
    firstTimestamp: "2026-01-01T00:00:00Z",
    lastTimestamp: "2026-01-01T00:00:00Z",
    count: 1,
    source: { component: "sync-trigger" },
    ...fields,
  });
  const job = { metadata: { name: "made", ownerReferences: [{ ...about, uid: "u", controller: true }] } };
  const manualRun = eventOfJob(job, { name: "made", namespace, uid: "v", createdAt: "2026-01-01T00:00:00Z" });
  return [
    { name: "create Event", method: "POST", path: collection, body: event({ name: "first" }) },
    ...variants({ method: "POST", path: collection }, "Event", [
      ["exists", { body: event({ name: "first" }) }],
      ["the smallest", { body: { metadata: { name: "smallest" }, involvedObject: { namespace } } }],
      ["another namespace", { body: event({ name: "x" }, { involvedObject: { ...about, namespace: "other" } }) }],
      ["no name", { body: event({}) }],
      ["of a manual run", { body: manualRun }],
      ["no object", { body: { metadata: { name: "x" } } }],
    ]),
    {
      name: "events of one object",
      method: "GET",
      path: `${collection}?fieldSelector=involvedObject.name%3Dsmallest,reason%3DTriggered`,
    },
    { name: "events by a field that is none", method: "GET", path: `${collection}?fieldSelector=foo%3D1` },
  ];
};
