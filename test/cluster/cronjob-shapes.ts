import type { JsonObject } from "../../functions/core/json.ts";

const podSpec: JsonObject = {
  restartPolicy: "Never",
  containers: [{ name: "main", image: "dev.local/none:1", imagePullPolicy: "Never", command: ["true"] }],
};

function cronJob(name: string, jobTemplate: JsonObject): JsonObject {
  return {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name, labels: { "not-copied": "cronjob" }, annotations: { "not-copied": "cronjob" } },
    spec: { schedule: "0 3 * * *", suspend: true, jobTemplate },
  };
}

/** CronJobs whose Jobs must come out exactly as kubectl makes them; each row is one thing that others get wrong. */
export const cronJobShapes: [what: string, cronJob: JsonObject][] = [
  ["no template metadata", cronJob("bare", { spec: { template: { spec: podSpec } } })],
  [
    "labels and annotations",
    cronJob("labelled", {
      metadata: {
        labels: { app: "sync", "kueue.x-k8s.io/queue-name": "q" },
        annotations: { "example.com/a": "ü\n\t1" },
      },
      spec: { template: { metadata: { labels: { pod: "yes" }, annotations: { b: "2" } }, spec: podSpec } },
    }),
  ],
  [
    "a template that overrides the instantiate annotation",
    cronJob("overriding", {
      metadata: { annotations: { "cronjob.kubernetes.io/instantiate": "by-template" } },
      spec: { template: { spec: podSpec } },
    }),
  ],
  [
    "template finalizers and a template name, which are not copied",
    cronJob("finalized", {
      metadata: { name: "other", finalizers: ["example.com/f"], labels: { a: "1" } },
      spec: { template: { spec: podSpec } },
    }),
  ],
  [
    "every optional field of a Job",
    cronJob("optional", {
      spec: {
        parallelism: 2,
        completions: 3,
        completionMode: "Indexed",
        backoffLimitPerIndex: 1,
        maxFailedIndexes: 2,
        activeDeadlineSeconds: 600,
        backoffLimit: 4,
        ttlSecondsAfterFinished: 3_600,
        podReplacementPolicy: "Failed",
        podFailurePolicy: {
          rules: [
            { action: "FailJob", onExitCodes: { containerName: "main", operator: "In", values: [42] } },
            { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
          ],
        },
        successPolicy: { rules: [{ succeededIndexes: "0", succeededCount: 1 }] },
        suspend: true,
        template: { spec: podSpec },
      },
    }),
  ],
  [
    "volumes, init containers and the like",
    cronJob("volumes", {
      spec: {
        suspend: true,
        template: {
          spec: {
            restartPolicy: "OnFailure",
            serviceAccountName: "default",
            automountServiceAccountToken: false,
            terminationGracePeriodSeconds: 7,
            activeDeadlineSeconds: 60,
            nodeSelector: { a: "b" },
            tolerations: [{ key: "t", operator: "Exists", effect: "NoSchedule" }],
            securityContext: { runAsNonRoot: true, runAsUser: 65_532, fsGroup: 1 },
            volumes: [
              { name: "tmp", emptyDir: { sizeLimit: "1.5Gi" } },
              { name: "secret", secret: { secretName: "none", optional: true } },
            ],
            initContainers: [
              { name: "first", image: "dev.local/none:1" },
              { name: "sidecar", image: "dev.local/none:1", restartPolicy: "Always" },
            ],
            containers: [
              {
                name: "main",
                image: "dev.local/none:1",
                args: ["$(A)", "b"],
                env: [
                  { name: "A", value: "1" },
                  { name: "NODE", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
                ],
                resources: { requests: { cpu: "0.5", memory: "1e3" }, limits: { memory: "128974848" } },
                volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
                securityContext: { readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
                livenessProbe: { exec: { command: ["true"] }, periodSeconds: 5 },
              },
            ],
          },
        },
      },
    }),
  ],
  ["suspend: true in the template", cronJob("suspended", { spec: { suspend: true, template: { spec: podSpec } } })],
  [
    "a name of 52 characters",
    cronJob("a-name-that-is-as-long-as-a-cronjob-name-may-be-0052", { spec: { template: { spec: podSpec } } }),
  ],
  ["a name with dots", cronJob("sync.kraken.v1", { spec: { template: { spec: podSpec } } })],
];

/** The API server takes this CronJob (it does not look at the template's labels) and refuses each Job made from it. */
export const refusedCronJob: JsonObject = cronJob("refused", {
  metadata: { labels: { app: "no label value!" } },
  spec: { template: { spec: podSpec } },
});
