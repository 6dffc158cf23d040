import { isJsonObject, type JsonObject } from "./json.ts";

/** The prefix of our own annotations. */
const prefix = "sync-trigger.internal/";
/** Of an event's id or source at most this many characters are kept: all annotations together may hold 256 KiB. */
const maxAnnotationLength = 1_024;

/** What our annotations say of a manual run; absent facts get no annotation. */
export type Provenance = {
  keyDigest: string;
  requestDigest: string;
  via: "http" | "event" | "ping";
  traceparent: string;
  requestedBy?: string | undefined;
  eventSource?: string | undefined;
  eventId?: string | undefined;
  eventType?: string | undefined;
  reason?: string | undefined;
};

/**
 * The Job that `kubectl create job NAME --from=cronjob/X` would make (kubectl's create_job.go), plus our annotations:
 * labels and spec of the template verbatim, fields unknown to us included; the CronJob as controller, without
 * `blockOwnerDeletion`, which would need a right on the CronJob's finalizers (kubernetes/kubectl#842).
 */
export function jobFromCronJob(cronJob: JsonObject, name: string, provenance: Provenance): JsonObject {
  const metadata = objectAt(cronJob, "metadata");
  const template = objectAt(objectAt(cronJob, "spec"), "jobTemplate");
  const templateMetadata = objectAt(template, "metadata");
  const job: JsonObject = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name,
      namespace: metadata.namespace ?? "",
      ...(templateMetadata.labels === undefined ? {} : { labels: templateMetadata.labels }),
      annotations: {
        "cronjob.kubernetes.io/instantiate": "manual",
        ...objectAt(templateMetadata, "annotations"),
        ...toAnnotations(provenance),
      },
      ownerReferences: [
        {
          apiVersion: "batch/v1",
          kind: "CronJob",
          name: metadata.name ?? "",
          uid: metadata.uid ?? "",
          controller: true,
        },
      ],
    },
  };
  if (template.spec !== undefined) job.spec = template.spec;
  return job;
}

/** Our annotation of that name on an object; undefined when it has none. */
export function readAnnotation(object: JsonObject, name: keyof Provenance): string | undefined {
  const value = objectAt(objectAt(object, "metadata"), "annotations")[annotationName(name)];
  return typeof value === "string" ? value : undefined;
}

function toAnnotations(provenance: Provenance): JsonObject {
  const annotations: JsonObject = {};
  for (const [name, value] of Object.entries(provenance)) {
    if (value !== undefined) annotations[annotationName(name)] = value.slice(0, maxAnnotationLength).toWellFormed();
  }
  return annotations;
}

function annotationName(name: string): string {
  return prefix + name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function objectAt(object: JsonObject, key: string): JsonObject {
  const value = object[key];
  return isJsonObject(value) ? value : {};
}
