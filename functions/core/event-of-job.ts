import { readAnnotation } from "./job-from-cronjob.ts";
import { isJsonObject, type JsonObject } from "./json.ts";
import type { JobRef } from "./outcome.ts";

/** Longer messages the API server takes too; kubectl shows them in one line. */
const maxMessageLength = 1_024;

/**
 * The Kubernetes Event that tells of a manual run on its CronJob (`kubectl describe cronjob`). It has the Job's name, so
 * that a Job has one at most. What a caller may choose freely (reason, event id) stays in the Job's annotations.
 */
export function eventOfJob(sent: JsonObject, stored: JobRef): JsonObject {
  const { name, namespace, uid, createdAt } = stored;
  const via = readAnnotation(sent, "via") ?? "";
  const requestedBy = readAnnotation(sent, "requestedBy");
  const by = requestedBy === undefined ? "" : ` by ${requestedBy}`;
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name, namespace },
    involvedObject: { ...ownerOf(sent), namespace },
    related: { apiVersion: "batch/v1", kind: "Job", namespace, name, ...(uid === null ? {} : { uid }) },
    type: "Normal",
    reason: "ManualRun",
    message: `Created Job ${name}: requested via ${via}${by}`.slice(0, maxMessageLength).toWellFormed(),
    source: { component: "sync-trigger" },
    count: 1,
    ...(createdAt === null ? {} : { firstTimestamp: createdAt, lastTimestamp: createdAt }),
  };
}

/** The CronJob as an ObjectReference: `kubectl describe` looks for its uid. */
function ownerOf({ metadata }: JsonObject): JsonObject {
  const owners = isJsonObject(metadata) && Array.isArray(metadata.ownerReferences) ? metadata.ownerReferences : [];
  const [owner = {}] = owners.filter(isJsonObject);
  const { apiVersion = "", kind = "", name = "", uid = "" } = owner;
  return { apiVersion, kind, name, uid };
}
