import { describe, expect, it } from "vitest";
import { jobFromCronJob, type Provenance, readAnnotation } from "../../functions/core/job-from-cronjob.ts";
import { type JsonObject, parseJsonExactly } from "../../functions/core/json.ts";

const provenance: Provenance = { keyDigest: "kd", requestDigest: "rd", via: "http", traceparent: "00-t-s-00" };
const ours = {
  "sync-trigger.internal/key-digest": "kd",
  "sync-trigger.internal/request-digest": "rd",
  "sync-trigger.internal/via": "http",
  "sync-trigger.internal/traceparent": "00-t-s-00",
};
const manual = { "cronjob.kubernetes.io/instantiate": "manual" };
const podTemplate: JsonObject = { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "i" }] } };

function cronJob(jobTemplate: JsonObject): JsonObject {
  return {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: {
      name: "sync",
      namespace: "kraken",
      uid: "u-1",
      resourceVersion: "7",
      labels: { of: "the CronJob" },
      annotations: { of: "the CronJob" },
    },
    spec: { schedule: "@daily", suspend: true, concurrencyPolicy: "Forbid", jobTemplate },
    status: { active: [{ name: "sync-1" }] },
  };
}

const build = (jobTemplate: JsonObject, more: Partial<Provenance> = {}) =>
  jobFromCronJob(cronJob(jobTemplate), "sync-m1", { ...provenance, ...more });

const shape = (metadata: JsonObject, spec: JsonObject): JsonObject => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: {
    name: "sync-m1",
    namespace: "kraken",
    ...metadata,
    ownerReferences: [{ apiVersion: "batch/v1", kind: "CronJob", name: "sync", uid: "u-1", controller: true }],
  },
  spec,
});

describe("a Job has what kubectl create job --from gives, our annotations and nothing else", () => {
  it.each<[what: string, jobTemplate: JsonObject, expected: JsonObject]>([
    [
      "no template metadata",
      { spec: { template: podTemplate } },
      shape({ annotations: { ...manual, ...ours } }, { template: podTemplate }),
    ],
    [
      "empty template metadata",
      { metadata: {}, spec: { template: podTemplate } },
      shape({ annotations: { ...manual, ...ours } }, { template: podTemplate }),
    ],
    [
      "labels and annotations",
      {
        metadata: {
          labels: { app: "sync", "kueue.x-k8s.io/queue-name": "q" },
          annotations: { "example.com/a": "ü\n" },
        },
        spec: { template: podTemplate },
      },
      shape(
        {
          labels: { app: "sync", "kueue.x-k8s.io/queue-name": "q" },
          annotations: { ...manual, "example.com/a": "ü\n", ...ours },
        },
        { template: podTemplate },
      ),
    ],
    [
      "a template that overrides the instantiate annotation",
      { metadata: { annotations: { "cronjob.kubernetes.io/instantiate": "by template" } }, spec: {} },
      shape({ annotations: { "cronjob.kubernetes.io/instantiate": "by template", ...ours } }, {}),
    ],
    [
      "a template that claims our annotations, which stay ours",
      { metadata: { annotations: { "sync-trigger.internal/key-digest": "forged" } }, spec: {} },
      shape({ annotations: { ...manual, ...ours } }, {}),
    ],
    [
      "a name, a generateName, finalizers and owners in the template, which are not copied",
      {
        metadata: {
          name: "n",
          generateName: "g-",
          namespace: "other",
          finalizers: ["example.com/f"],
          ownerReferences: [{ uid: "x" }],
          uid: "y",
        },
        spec: {},
      },
      shape({ annotations: { ...manual, ...ours } }, {}),
    ],
    [
      "suspend in the template, which is the Job's own matter",
      { spec: { suspend: true, parallelism: 2, backoffLimit: 0, template: podTemplate } },
      shape(
        { annotations: { ...manual, ...ours } },
        { suspend: true, parallelism: 2, backoffLimit: 0, template: podTemplate },
      ),
    ],
  ])("%s", (_what, jobTemplate, expected) => {
    expect(build(jobTemplate)).toStrictEqual(expected);
  });

  it("leaves blockOwnerDeletion out, which needs a right on the CronJob's finalizers", () => {
    expect(JSON.stringify(build({ spec: {} }))).not.toContain("blockOwnerDeletion");
  });

  it("leaves the schedule's own annotation out", () => {
    expect(JSON.stringify(build({ spec: {} }))).not.toContain("cronjob-scheduled-timestamp");
  });

  it("has no spec where the template has none, and leaves the refusal to the API server", () => {
    expect(build({})).not.toHaveProperty("spec");
  });

  it("does not change the CronJob that it was made from", () => {
    const source = cronJob({
      metadata: { labels: { a: "1" }, annotations: { b: "2" } },
      spec: { template: podTemplate },
    });
    const before = JSON.stringify(source);
    jobFromCronJob(source, "n", provenance);
    expect(JSON.stringify(source)).toBe(before);
  });
});

it("keeps every field of the spec byte for byte, unknown ones and odd numbers included", () => {
  const spec = `{"futureJobField":{"a":[1.0,-0,1e3,12345678901234567890]},"template":{"futurePodTemplate":null,"spec":{"futurePodField":"ü\\n","containers":[{"name":"c","futureContainerField":[{"__proto__":{"x":1}}],"image":"i"}]}}}`;
  const source = parseJsonExactly(`{"metadata":{},"spec":{"jobTemplate":{"spec":${spec}}}}`) as JsonObject;
  expect(JSON.stringify(jobFromCronJob(source, "n", provenance).spec)).toBe(spec);
});

describe("our annotations", () => {
  const annotationsOf = (more: Partial<Provenance>) => {
    const { annotations } = build({ spec: {} }, more).metadata as { annotations: Record<string, string> };
    return annotations;
  };

  it("say where a run came from, each under the name that README gives", () => {
    const more = {
      via: "event",
      requestedBy: "b",
      eventSource: "s",
      eventId: "i",
      eventType: "t",
      reason: "r",
    } as const;
    expect(annotationsOf(more)).toEqual({
      ...manual,
      ...ours,
      "sync-trigger.internal/via": "event",
      "sync-trigger.internal/requested-by": "b",
      "sync-trigger.internal/event-source": "s",
      "sync-trigger.internal/event-id": "i",
      "sync-trigger.internal/event-type": "t",
      "sync-trigger.internal/reason": "r",
    });
  });

  it("of absent facts are absent, of empty ones empty", () => {
    expect(annotationsOf({ reason: undefined })).not.toHaveProperty(["sync-trigger.internal/reason"]);
    expect(annotationsOf({ reason: "" })).toHaveProperty(["sync-trigger.internal/reason"], "");
  });

  it("are cut at 1,024 characters, never through one of two halves", () => {
    const { "sync-trigger.internal/event-id": id = "" } = annotationsOf({ eventId: `${"x".repeat(1_023)}😀` });
    expect(id).toHaveLength(1_024);
    expect(id.isWellFormed()).toBe(true);
  });

  it("leave nearly all of 256 KiB to the template's, whatever an event says", () => {
    const long = "😀".repeat(100_000);
    const more = { requestedBy: long, eventSource: long, eventId: long, eventType: long, reason: long };
    const bytes = Buffer.byteLength(JSON.stringify(annotationsOf(more)));
    expect(bytes).toBeLessThan(16_384);
  });

  it("are read back by name, as text or not at all", () => {
    const job = build({ spec: {} }, { eventId: "i" });
    expect(readAnnotation(job, "eventId")).toBe("i");
    expect(readAnnotation(job, "reason")).toBeUndefined();
    expect(readAnnotation({}, "eventId")).toBeUndefined();
    const annotations = { "sync-trigger.internal/event-id": 1 };
    expect(readAnnotation({ metadata: { annotations } }, "eventId")).toBeUndefined();
  });
});
