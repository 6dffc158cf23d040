import type { JsonObject } from "../../../functions/core/json.ts";
import { at, batch, idleSpec, job, mergePatch, podSpec, type Seen, type Step, variants } from "./step.ts";

/** A Job as kubectl makes it from a CronJob. */
function cloneOf(seen: Seen, created: string, name: string): JsonObject {
  const source = seen(created);
  const template = at(source, "spec.jobTemplate") as JsonObject;
  const { uid, name: owner } = source.metadata as { uid: string; name: string };
  const metadata = (template.metadata ?? {}) as { labels?: object; annotations?: object };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name,
      annotations: { "cronjob.kubernetes.io/instantiate": "manual", ...metadata.annotations },
      ...(metadata.labels && { labels: metadata.labels }),
      ownerReferences: [{ apiVersion: "batch/v1", kind: "CronJob", name: owner, uid, controller: true }],
    },
    spec: { ...(template.spec as object), suspend: true },
  } as JsonObject;
}

const clonedShapes = [
  "labels and annotations everywhere",
  "every optional field of the Job",
  "a pod failure policy",
  "volumes, probes, ports and an init container",
  "settings of the pod",
];

const invalid: [string, Partial<Step>][] = [
  ["exists", { body: job("plain") }],
  ["name of 64 characters", { body: job("n".repeat(64)) }],
  ["name of 254 characters", { body: job("n".repeat(254)) }],
  ["name in capitals", { body: job("Run_1") }],
  ["no name", { body: job("") }],
  ["an empty object", { body: {} }],
  ["null", { body: "null" }],
  ["no pod", { body: job("a", { template: { spec: {} } }) }],
  ["restartPolicy", { body: job("a", { template: { spec: { ...podSpec, restartPolicy: "Sometimes" } } }) }],
  ["an empty container", { body: job("a", { template: { spec: { ...podSpec, containers: [{}] } } }) }],
  [
    "many things at once",
    {
      body: job(
        "a",
        {
          backoffLimit: -1,
          parallelism: -2,
          completionMode: "Random",
          template: {
            metadata: { labels: { "a b": "c d" } },
            spec: {
              ...podSpec,
              dnsPolicy: "X",
              volumes: [{ name: "V" }],
              containers: [
                { name: "A_", image: "i" },
                { name: "b", image: "i" },
                { name: "b", image: "i", terminationMessagePolicy: "X" },
              ],
            },
          },
        },
        {
          annotations: { "a b": "" },
          labels: { x: "!" },
          ownerReferences: [{ apiVersion: "", kind: "", name: "", uid: "" }],
        },
      ),
    },
  ],
  [
    "two controllers",
    {
      body: job("a", idleSpec, {
        ownerReferences: ["x", "y"].map((name) => ({
          apiVersion: "v1",
          kind: "ConfigMap",
          name,
          uid: name,
          controller: true,
        })),
      }),
    },
  ],
  [
    "a foreign generated label",
    { body: job("a", { ...idleSpec, template: { metadata: { labels: { "job-name": "b" } }, spec: podSpec } }) },
  ],
  ["indexed without completions", { body: job("a", { ...idleSpec, completionMode: "Indexed", parallelism: 2 }) }],
  ["index limits without an index", { body: job("a", { ...idleSpec, backoffLimitPerIndex: 1 }) }],
  ["manual selector without one", { body: job("a", { ...idleSpec, manualSelector: true }) }],
  ["another namespace", { body: job("a", idleSpec, { namespace: "other" }) }],
  ["annotations too large", { body: job("a", idleSpec, { annotations: { a: "x".repeat(262_144) } }) }],
];

/** Jobs: made as clones, twice, wrong, changed, deleted. None of them starts a pod. */
export const jobSteps = (namespace: string): Step[] => {
  const collection = `${batch(namespace)}/jobs`;
  const create = { method: "POST", path: collection };
  const patch = { method: "PATCH", path: `${collection}/plain`, headers: mergePatch };
  const isSuspended = (body: JsonObject) => JSON.stringify(body.status ?? {}).includes("JobSuspended");
  return [
    ...clonedShapes.map((shape, i) => ({
      ...create,
      name: `clone of ${shape}`,
      bodyFrom: (seen: Seen) => cloneOf(seen, `create CronJob: ${shape}`, `clone-${i}`),
    })),
    { ...create, name: "create Job", body: job("plain") },
    {
      ...create,
      name: "create Job for its metadata",
      headers: { accept: "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1, application/json" },
      body: job("for-metadata"),
    },
    {
      ...create,
      name: "rehearse Job",
      path: `${collection}?dryRun=All&fieldManager=me&timeout=10s`,
      body: job("rehearsed"),
    },
    { name: "a rehearsal stores nothing", method: "GET", path: `${collection}/rehearsed` },
    { ...create, name: "rehearse one that exists", path: `${collection}?dryRun=All`, body: job("plain") },
    { ...create, name: "generateName", body: job("", idleSpec, { generateName: "made-", labels: { made: "yes" } }) },
    ...variants(create, "invalid Job", invalid),
    {
      name: "the controller has seen it",
      method: "GET",
      path: `${collection}/plain`,
      until: isSuspended,
    },
    { name: "get no such Job", method: "GET", path: `${collection}/no-such` },
    ...variants(patch, "patch Job", [
      ["labels", { body: { metadata: { labels: { a: "b" } } } }],
      ["no labels again", { body: { metadata: { labels: null } } }],
      ["limits", { body: { spec: { backoffLimit: 1, activeDeadlineSeconds: 5, ttlSecondsAfterFinished: 3 } } }],
      ["completions", { body: { spec: { completions: 3 } } }],
      ["selector", { body: { spec: { selector: { matchLabels: { a: "b" } } } } }],
      ["managedBy", { body: { spec: { managedBy: "example.com/other" } } }],
      [
        "annotations of the pod while suspended",
        { body: { spec: { template: { metadata: { annotations: { a: "b" } } } } } },
      ],
      ["a container while suspended", { body: { spec: { template: { spec: { terminationGracePeriodSeconds: 1 } } } } }],
      ["an old version", { body: { metadata: { resourceVersion: "1" } } }],
    ]),
    { name: "delete Job without a policy", method: "DELETE", path: `${collection}/clone-0` },
    { name: "it goes", method: "GET", path: `${collection}/clone-0`, until: (_body, status) => status === 404 },
    {
      name: "delete in the background",
      method: "DELETE",
      path: `${collection}/clone-1`,
      body: { propagationPolicy: "Background" },
    },
    { name: "it is gone", method: "GET", path: `${collection}/clone-1` },
    {
      name: "delete in the foreground",
      method: "DELETE",
      path: `${collection}/clone-2`,
      body: { kind: "DeleteOptions", apiVersion: "v1", propagationPolicy: "Foreground" },
    },
    { name: "it goes too", method: "GET", path: `${collection}/clone-2`, until: (_body, status) => status === 404 },
    ...variants({ method: "DELETE", path: `${collection}/plain` }, "delete", [
      ["unknown policy", { body: { propagationPolicy: "Gently" } }],
      ["unknown policy in the query", { path: `${collection}/plain?propagationPolicy=Gently` }],
      ["grace that is no number", { path: `${collection}/plain?gracePeriodSeconds=x` }],
      ["another uid", { body: { preconditions: { uid: "x" }, propagationPolicy: "Foreground" } }],
      ["another version", { body: { preconditions: { resourceVersion: "1" }, propagationPolicy: "Background" } }],
      ["half a body", { body: '{"kind' }],
      ["another media type", { body: "{}", headers: { "content-type": "text/plain" } }],
      ["rehearsed", { path: `${collection}/plain?dryRun=All&propagationPolicy=Background` }],
      ["no such Job", { path: `${collection}/no-such?propagationPolicy=Background` }],
    ]),
    {
      ...create,
      name: "Job whose owner is gone",
      body: job("ownerless", idleSpec, {
        ownerReferences: [
          {
            apiVersion: "batch/v1",
            kind: "CronJob",
            name: "smallest",
            uid: "11111111-2222-3333-4444-555555555555",
            controller: true,
          },
        ],
      }),
    },
    {
      name: "it is collected",
      method: "GET",
      path: `${collection}/ownerless`,
      until: (_body, status) => status === 404,
    },
  ];
};
