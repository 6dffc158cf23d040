import { batch, cronJob, idleSpec, mergePatch, podSpec, type Step, variants, withValue } from "./step.ts";

const withTemplate = (spec: object, metadata?: object) => ({
  jobTemplate: { ...(metadata && { metadata }), spec: { template: { spec: podSpec }, ...spec } },
});
const withPod = (pod: object, metadata?: object) =>
  withTemplate({ template: { ...(metadata && { metadata }), spec: { ...podSpec, ...pod } } });
const container = (fields: object) => withPod({ containers: [{ name: "m", image: "dev.local/none:1", ...fields }] });

const shapes: [string, Partial<Step>][] = [
  ["the smallest", { body: cronJob("smallest") }],
  [
    "labels and annotations everywhere",
    {
      body: cronJob(
        "labelled",
        {
          jobTemplate: {
            metadata: { labels: { tier: "batch", empty: "" }, annotations: { "example.com/note": "ä <&> \u2028" } },
            spec: { template: { metadata: { labels: { app: "x" }, annotations: {} }, spec: podSpec } },
          },
        },
        { labels: { a: "b" }, annotations: { c: "d" }, finalizers: [] },
      ),
    },
  ],
  [
    "every optional field of the schedule",
    {
      body: cronJob("scheduled", {
        schedule: "*/5 1-3,7 ? JAN-MAR mon",
        timeZone: "Europe/Zurich",
        concurrencyPolicy: "Replace",
        startingDeadlineSeconds: 0,
        successfulJobsHistoryLimit: 0,
        failedJobsHistoryLimit: 0,
      }),
    },
  ],
  [
    "every optional field of the Job",
    {
      body: cronJob(
        "optional",
        withTemplate({
          parallelism: 3,
          completions: 5,
          activeDeadlineSeconds: 60,
          backoffLimit: 0,
          ttlSecondsAfterFinished: 0,
          completionMode: "Indexed",
          suspend: true,
          backoffLimitPerIndex: 1,
          maxFailedIndexes: 2,
          podReplacementPolicy: "Failed",
          manualSelector: false,
        }),
      ),
    },
  ],
  [
    "a pod failure policy",
    {
      body: cronJob(
        "failure-policy",
        withTemplate({
          podFailurePolicy: {
            rules: [
              { action: "FailJob", onExitCodes: { containerName: "m", operator: "In", values: [3, 42] } },
              { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget" }] },
            ],
          },
        }),
      ),
    },
  ],
  [
    "volumes, probes, ports and an init container",
    {
      body: cronJob(
        "volumes",
        withPod({
          initContainers: [{ name: "init", image: "busybox", command: ["true"], restartPolicy: "Always" }],
          containers: [
            {
              name: "m",
              image: "registry.example:5000/a/b",
              ports: [{ containerPort: 80, hostPort: 0 }],
              env: [
                { name: "EMPTY", value: "" },
                { name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
                { name: "KEY", valueFrom: { secretKeyRef: { name: "s", key: "k", optional: false } } },
              ],
              volumeMounts: [
                { name: "tmp", mountPath: "/tmp", readOnly: false },
                { name: "all", mountPath: "/all" },
              ],
              livenessProbe: { httpGet: { port: 80 } },
              startupProbe: { exec: { command: ["true"] }, initialDelaySeconds: 0, timeoutSeconds: 5 },
              lifecycle: { preStop: { httpGet: { port: "http", scheme: "HTTPS" } } },
              resources: { requests: { cpu: 0.5, memory: "1024Mi" }, limits: { cpu: "2000m", memory: "1.5Gi" } },
            },
          ],
          volumes: [
            { name: "tmp" },
            { name: "secret", secret: { secretName: "s" } },
            { name: "map", configMap: { name: "c", items: [{ key: "a", path: "b" }] } },
            { name: "host", hostPath: { path: "/x" } },
            { name: "memory", emptyDir: { medium: "Memory", sizeLimit: "1000M" } },
            {
              name: "all",
              projected: {
                sources: [
                  { serviceAccountToken: { path: "token", audience: "x" } },
                  { downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] } },
                ],
              },
            },
          ],
        }),
      ),
    },
  ],
  [
    "settings of the pod",
    {
      body: cronJob(
        "pod-settings",
        withPod({
          serviceAccountName: "robot",
          automountServiceAccountToken: false,
          hostNetwork: false,
          nodeSelector: { disk: "ssd" },
          priorityClassName: "low",
          terminationGracePeriodSeconds: 0,
          securityContext: { runAsNonRoot: true, runAsUser: 0, seccompProfile: { type: "RuntimeDefault" } },
          tolerations: [{ key: "a", operator: "Exists", effect: "NoSchedule" }],
          imagePullSecrets: [{ name: "pull" }],
          enableServiceLinks: false,
        }),
      ),
    },
  ],
  ["a name of 52 characters", { body: cronJob("n".repeat(52)) }],
  ["a name with dots", { body: cronJob("dotted.name.v1") }],
  [
    "no apiVersion and no kind",
    { body: withValue(withValue(cronJob("untyped") as never, "kind", undefined), "apiVersion", undefined) },
  ],
  [
    "a template of its own uid and version",
    { body: cronJob("own-uid", {}, { uid: "x", resourceVersion: "7", generation: 9 }) },
  ],
  ["an image by digest", { body: cronJob("digest", container({ image: `a/b@sha256:${"0".repeat(64)}` })) }],
  ["an image tagged latest", { body: cronJob("latest", container({ image: "a/b:latest" })) }],
  ["fields that nobody knows", { body: cronJob("unknown", { ...container({ magic: 1.0 }), also: { a: [] } }) }],
  ["nulls", { body: cronJob("nulls", { ...container({ env: null, args: [] }), timeZone: null }) }],
];

const invalid: [string, Partial<Step>][] = [
  ["exists", { body: cronJob("smallest") }],
  ["name of 53 characters", { body: cronJob("n".repeat(53)) }],
  ["name in capitals", { body: cronJob("Nightly_Sync") }],
  ["no name", { body: cronJob("") }],
  ["no schedule", { body: cronJob("a", { schedule: undefined }) }],
  ["no spec", { body: { ...cronJob("a"), spec: undefined } }],
  ["no template", { body: cronJob("a", { jobTemplate: undefined }) }],
  ["time zone in the schedule", { body: cronJob("a", { schedule: "TZ=UTC 0 3 * * *" }) }],
  ["unknown time zone", { body: cronJob("a", { timeZone: "Mars/Olympus" }) }],
  ["empty time zone", { body: cronJob("a", { timeZone: "" }) }],
  ["concurrency policy", { body: cronJob("a", { concurrencyPolicy: "Queue" }) }],
  ["negative limits", { body: cronJob("a", { successfulJobsHistoryLimit: -1, startingDeadlineSeconds: -5 }) }],
  ["selector in the template", { body: cronJob("a", withTemplate({ selector: { matchLabels: { a: "b" } } })) }],
  ["manual selector in the template", { body: cronJob("a", withTemplate({ manualSelector: true })) }],
  ["restartPolicy Always", { body: cronJob("a", withPod({ restartPolicy: "Always" })) }],
  ["no container", { body: cronJob("a", withPod({ containers: [] })) }],
  ["mount without volume", { body: cronJob("a", container({ volumeMounts: [{ name: "v", mountPath: "/v" }] })) }],
  ["bad environment", { body: cronJob("a", container({ env: [{ name: "" }, { name: "A=B", value: "1" }] })) }],
  ["pull policy", { body: cronJob("a", container({ imagePullPolicy: "Sometimes" })) }],
  ["quantity", { body: cronJob("a", container({ resources: { limits: { cpu: "much" } } })) }],
];

const schedules = [
  "x",
  "* * * *",
  "61 * * * *",
  "* * 0 * *",
  "5-1 * * * *",
  "*/0 * * * *",
  "a * * * *",
  "@often",
  "@every x",
];

/** CronJobs of many shapes, valid and not, and what can be done to one. */
export const cronJobSteps = (namespace: string): Step[] => {
  const collection = `${batch(namespace)}/cronjobs`;
  const create = { method: "POST", path: collection };
  const one = `${collection}/smallest`;
  const patch = { method: "PATCH", path: one, headers: mergePatch };
  return [
    ...variants(create, "create CronJob", shapes),
    ...variants(create, "invalid CronJob", invalid),
    ...schedules.map((schedule) => ({ ...create, name: `schedule ${schedule}`, body: cronJob("a", { schedule }) })),
    { name: "get CronJob", method: "GET", path: one },
    { name: "get no such CronJob", method: "GET", path: `${collection}/no-such` },
    { name: "list CronJobs", method: "GET", path: collection },
    ...variants(patch, "patch CronJob", [
      ["suspend off is a new generation", { body: { spec: { suspend: false } } }],
      ["the same again", { body: { spec: { suspend: false } } }],
      [
        "strategic",
        { headers: { "content-type": "application/strategic-merge-patch+json" }, body: { spec: { suspend: true } } },
      ],
      ["labels", { body: { metadata: { labels: { x: "y" } } } }],
      ["remove the schedule", { body: { spec: { schedule: null } } }],
      ["another uid", { body: { metadata: { uid: "other" } } }],
      ["another name", { body: { metadata: { name: "other" } } }],
      ["an old version", { body: { metadata: { resourceVersion: "1" } } }],
      ["nothing", { body: {} }],
      ["an unknown field", { body: { spec: { magic: 1 } } }],
      ["an unknown field, strictly", { path: `${one}?fieldValidation=Strict`, body: { spec: { magic: 1 } } }],
      ["half a body", { body: '{"spec' }],
      ["a list", { body: "[]" }],
      ["plain JSON", { headers: {}, body: {} }],
      ["no such CronJob", { path: `${collection}/no-such`, body: {} }],
      ["rehearsed", { path: `${one}?dryRun=All`, body: { spec: { schedule: "1 1 * * *" } } }],
    ]),
    {
      name: "patch the status",
      method: "PATCH",
      path: `${one}/status`,
      headers: mergePatch,
      body: {
        metadata: { annotations: { by: "status" } },
        status: { lastScheduleTime: "2026-01-02T03:04:05.678+01:00" },
        spec: { schedule: "9 9 * * *" },
      },
    },
    { name: "get the status", method: "GET", path: `${one}/status` },
    ...variants({ method: "PUT", path: one }, "replace CronJob", [
      ["with a new schedule", { bodyFrom: (seen) => withValue(seen("get the status"), "spec.schedule", "2 2 * * *") }],
      [
        "with the version of before",
        { bodyFrom: (seen) => withValue(seen("get the status"), "spec.schedule", "3 3 * * *") },
      ],
      ["without a version", { body: cronJob("smallest") }],
      ["under another name", { body: cronJob("other") }],
      ["without a name", { body: cronJob("") }],
      ["that is not there", { path: `${collection}/no-such`, body: cronJob("no-such") }],
    ]),
    {
      name: "delete CronJob and what it owns",
      method: "DELETE",
      path: `${collection}/latest?propagationPolicy=Background`,
    },
    { name: "delete it again", method: "DELETE", path: `${collection}/latest` },
    {
      name: "delete another incarnation",
      method: "DELETE",
      path: `${collection}/digest`,
      body: { preconditions: { uid: "other" } },
    },
    { name: "delete and orphan", method: "DELETE", path: `${collection}/digest` },
    {
      name: "orphaning is done",
      method: "GET",
      path: `${collection}/digest`,
      until: (_body, status) => status === 404,
    },
    {
      name: "a Job's spec as template",
      method: "POST",
      path: collection,
      body: cronJob("idle", { jobTemplate: { spec: idleSpec } }),
    },
  ];
};
