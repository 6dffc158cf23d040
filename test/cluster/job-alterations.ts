import type { Json, JsonObject } from "../../functions/core/json.ts";

const image = "dev.local/none:1";

/** A CronJob with something to alter everywhere; its Jobs start no pod. */
export const richCronJob: JsonObject = {
  apiVersion: "batch/v1",
  kind: "CronJob",
  metadata: { name: "nightly-sync" },
  spec: {
    schedule: "0 3 * * *",
    suspend: true,
    jobTemplate: {
      metadata: { labels: { app: "sync", team: "a" }, annotations: { kept: "yes" } },
      spec: {
        suspend: true,
        activeDeadlineSeconds: 600,
        backoffLimit: 2,
        template: {
          metadata: { labels: { app: "sync" }, annotations: { pod: "yes" } },
          spec: {
            restartPolicy: "Never",
            serviceAccountName: "default",
            automountServiceAccountToken: false,
            securityContext: { runAsNonRoot: true, runAsUser: 65_532 },
            volumes: [{ name: "tmp", emptyDir: {} }],
            initContainers: [{ name: "first", image, command: ["true"] }],
            containers: [
              {
                name: "main",
                image,
                command: ["sync"],
                args: ["--all"],
                env: [
                  { name: "A", value: "1" },
                  { name: "B", value: "2" },
                ],
                volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
              },
              { name: "side", image },
            ],
          },
        },
      },
    },
  },
};

/** Where something is set, and to what; undefined removes it. A path's last part may be "-": one more in a list. */
type Edit = [path: string, value: Json | undefined];

const pod = "spec/template/spec";
const main = `${pod}/containers/0`;
const owner = "metadata/ownerReferences/0";
const failurePolicy = {
  rules: [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] }],
};

/** Single alterations of a faithful clone of `richCronJob`; each gives a Job that Kubernetes itself takes. */
export const alterations: [what: string, ...edits: Edit[]][] = [
  ["another image", [`${main}/image`, "dev.local/other:1"]],
  ["another command", [`${main}/command`, ["sh"]]],
  ["no command", [`${main}/command`, undefined]],
  ["one more argument", [`${main}/args/-`, "--more"]],
  ["another value in the environment", [`${main}/env/0/value`, "x"]],
  [
    "another order of the environment",
    [`${main}/env/0/name`, "B"],
    [`${main}/env/0/value`, "2"],
    [`${main}/env/1/name`, "A"],
    [`${main}/env/1/value`, "1"],
  ],
  ["one more variable", [`${main}/env/-`, { name: "C", value: "3" }]],
  ["a Secret as environment", [`${main}/envFrom`, [{ secretRef: { name: "s" } }]]],
  [
    "a Secret's value as variable",
    [`${main}/env/-`, { name: "C", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }],
  ],
  ["resources", [`${main}/resources`, { limits: { cpu: "4" } }]],
  ["a privileged container", [`${main}/securityContext`, { privileged: true }]],
  ["another working directory", [`${main}/workingDir`, "/"]],
  ["a lifecycle hook", [`${main}/lifecycle`, { preStop: { exec: { command: ["sh"] } } }]],
  ["another pull policy", [`${main}/imagePullPolicy`, "Always"]],
  ["a port", [`${main}/ports`, [{ containerPort: 8080 }]]],
  ["another path for a volume", [`${main}/volumeMounts/0/mountPath`, "/etc"]],
  ["another image of the init container", [`${pod}/initContainers/0/image`, "dev.local/other:1"]],
  ["one more init container", [`${pod}/initContainers/-`, { name: "more", image }]],
  ["no init container", [`${pod}/initContainers`, undefined]],
  ["one more container", [`${pod}/containers/-`, { name: "more", image }]],
  ["one container less", [`${pod}/containers/1`, undefined]],
  ["another ServiceAccount", [`${pod}/serviceAccountName`, "other"], [`${pod}/serviceAccount`, undefined]],
  ["a mounted token", [`${pod}/automountServiceAccountToken`, true]],
  ["a Secret as volume", [`${pod}/volumes/-`, { name: "s", secret: { secretName: "s" } }]],
  ["a directory of the node as volume", [`${pod}/volumes/-`, { name: "h", hostPath: { path: "/" } }]],
  ["another kind of volume", [`${pod}/volumes/0`, { name: "tmp", secret: { secretName: "s" } }]],
  ["the node's network", [`${pod}/hostNetwork`, true]],
  ["the node's processes", [`${pod}/hostPID`, true]],
  ["another user", [`${pod}/securityContext/runAsUser`, 65_533]],
  ["a chosen node", [`${pod}/nodeName`, "node0"]],
  ["a node selector", [`${pod}/nodeSelector`, { a: "b" }]],
  ["a toleration", [`${pod}/tolerations`, [{ operator: "Exists" }]]],
  ["an image pull secret", [`${pod}/imagePullSecrets`, [{ name: "s" }]]],
  ["another restart policy", [`${pod}/restartPolicy`, "OnFailure"]],
  ["another grace period", [`${pod}/terminationGracePeriodSeconds`, 1]],
  ["another scheduler", [`${pod}/schedulerName`, "other"]],
  ["a host alias", [`${pod}/hostAliases`, [{ ip: "127.0.0.1", hostnames: ["api"] }]]],
  ["one more label on the pod", ["spec/template/metadata/labels/more", "x"]],
  ["another label on the pod", ["spec/template/metadata/labels/app", "x"]],
  ["no labels on the pod", ["spec/template/metadata/labels", undefined]],
  ["one more annotation on the pod", ["spec/template/metadata/annotations/more", "x"]],
  ["another annotation on the pod", ["spec/template/metadata/annotations/pod", "no"]],
  ["no annotations on the pod", ["spec/template/metadata/annotations", undefined]],
  ["a finalizer on the pod", ["spec/template/metadata/finalizers", ["example.com/f"]]],
  ["one more label", ["metadata/labels/more", "x"]],
  ["another label", ["metadata/labels/team", "b"]],
  ["one label less", ["metadata/labels/team", undefined]],
  ["no labels", ["metadata/labels", undefined]],
  ["the label of our other Jobs", ["metadata/labels/sync-trigger.internal~1component", "dead-letter"]],
  ["one more annotation", ["metadata/annotations/more", "x"]],
  ["another annotation", ["metadata/annotations/kept", "no"]],
  ["one annotation less", ["metadata/annotations/kept", undefined]],
  ["another way to be made", ["metadata/annotations/cronjob.kubernetes.io~1instantiate", "x"]],
  ["nothing that says how it was made", ["metadata/annotations/cronjob.kubernetes.io~1instantiate", undefined]],
  ["a finalizer", ["metadata/finalizers", ["example.com/f"]]],
  ["a prefix beside the name", ["metadata/generateName", "x-"]],
  ["no owner", ["metadata/ownerReferences", undefined]],
  ["an owner of another uid", [`${owner}/uid`, "x"]],
  ["an owner of another name", [`${owner}/name`, "x"]],
  ["an owner of another kind", [`${owner}/kind`, "Job"]],
  ["an owner that is no controller", [`${owner}/controller`, undefined]],
  ["a second owner", ["metadata/ownerReferences/-", { apiVersion: "v1", kind: "ConfigMap", name: "c", uid: "c" }]],
  ["a foreign name", ["metadata/name", "something"]],
  ["the name of a scheduled Job", ["metadata/name", "nightly-sync-29000000"]],
  ["the name of another CronJob's Job", ["metadata/name", "weekly-report-mabcdefghijklmnop2"]],
  ["the name of a CronJob whose name begins like ours", ["metadata/name", "nightly-mabcdefghijklmnop2"]],
  ["the name of a CronJob whose name begins with ours", ["metadata/name", "nightly-sync-2-mabcdefghijklmnop2"]],
  ["nothing before the name's suffix", ["metadata/name", "mabcdefghijklmnop2"]],
  ["another deadline", ["spec/activeDeadlineSeconds", 601]],
  ["no deadline", ["spec/activeDeadlineSeconds", undefined]],
  ["more retries", ["spec/backoffLimit", 3]],
  ["the default number of retries", ["spec/backoffLimit", undefined]],
  ["parallel pods", ["spec/parallelism", 5]],
  ["more completions", ["spec/completions", 5]],
  ["another completion mode", ["spec/completionMode", "Indexed"], ["spec/completions", 1]],
  ["not suspended", ["spec/suspend", false]],
  ["no word of being suspended", ["spec/suspend", undefined]],
  ["deleted when finished", ["spec/ttlSecondsAfterFinished", 0]],
  ["another replacement policy", ["spec/podReplacementPolicy", "Failed"]],
  ["another manager", ["spec/managedBy", "example.com/other"]],
  ["a failure policy", ["spec/podFailurePolicy", failurePolicy], ["spec/podReplacementPolicy", "Failed"]],
  ["a selector of its own", ["spec/manualSelector", true], ["spec/selector", { matchLabels: { app: "sync" } }]],
];

/** A CronJob that leaves to the API server what can be left to it. */
function sparseCronJob(name: string, jobSpec: JsonObject, podMetadata: JsonObject = {}): JsonObject {
  const template = { metadata: podMetadata, spec: { restartPolicy: "Never", containers: [{ name: "main", image }] } };
  const jobTemplate = { spec: { suspend: true, ...jobSpec, template } };
  return {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name },
    spec: { schedule: "0 3 * * *", suspend: true, jobTemplate },
  };
}

/** CronJobs whose Jobs get defaults that depend on other fields, and single alterations of those. */
export const sparseShapes: [what: string, cronJob: JsonObject, ...alterations: typeof alterations][] = [
  [
    "labels on the pod alone",
    sparseCronJob("pod-labels", {}, { labels: { app: "sync" } }),
    ["other labels", ["metadata/labels", { app: "x" }]],
  ],
  [
    "no labels at all",
    sparseCronJob("no-labels", {}),
    ["a label", ["metadata/labels", { more: "x" }]],
    ["a label of the pod", ["metadata/labels", { "job-name": "x" }]],
    ["no completions", ["spec/parallelism", 1]],
  ],
  [
    "parallelism without completions",
    sparseCronJob("parallel", { parallelism: 3 }),
    ["one completion", ["spec/completions", 1]],
    ["no completions needed", ["spec/completions", 0]],
  ],
  [
    "completions without parallelism",
    sparseCronJob("completions", { completions: 3 }),
    ["parallel pods", ["spec/parallelism", 2]],
  ],
  [
    "retries for each index",
    sparseCronJob("indexed", { completionMode: "Indexed", completions: 2, backoffLimitPerIndex: 1 }),
    ["the usual number of retries", ["spec/backoffLimit", 6]],
  ],
  [
    "a failure policy",
    sparseCronJob("failure-policy", { podFailurePolicy: failurePolicy }),
    ["another rule", ["spec/podFailurePolicy/rules/0/action", "Count"]],
  ],
];

/** A copy with the edits made. */
export function alter(job: JsonObject, edits: Edit[]): JsonObject {
  const copy = structuredClone(job);
  for (const [path, value] of edits) {
    const parts = path.split("/").map((part) => part.replaceAll("~1", "/"));
    const last = parts.pop() ?? "";
    const parent = parts.reduce<Json>((at, part) => (at as JsonObject)[part] ?? null, copy);
    if (parent === null) throw new Error(`nothing at ${path}`);
    if (Array.isArray(parent))
      parent.splice(
        last === "-" ? parent.length : Number(last),
        last === "-" ? 0 : 1,
        ...(value === undefined ? [] : [value]),
      );
    else if (value === undefined) delete (parent as JsonObject)[last];
    else (parent as JsonObject)[last] = value;
  }
  return copy;
}
