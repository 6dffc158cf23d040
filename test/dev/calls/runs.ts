import type { JsonObject } from "../../../functions/core/json.ts";
import { at, batch, mergePatch, type Seen, type Step } from "./step.ts";

interface Run {
  name: string;
  container?: object;
  pod?: object;
  job?: object;
  cronJob?: object;
}

const image = "dev.local/kraken-sync:1";

/** The CronJobs whose Jobs run, on a real node and as local processes. */
const runs: readonly Run[] = [
  { name: "succeeds" },
  {
    name: "fails",
    // Two streams are in order only where time passes between their lines.
    container: {
      env: [
        { name: "SYNC_SECONDS", value: "2" },
        { name: "SYNC_FAIL", value: "rewards" },
      ],
    },
  },
  {
    name: "retried",
    job: { backoffLimit: 1 },
    container: {
      command: ["node", "-e", "console.log('trying $(WORD) $$(WORD)'); process.exit(7)"],
      env: [{ name: "WORD", value: "hard" }],
    },
  },
  { name: "slow", container: { env: [{ name: "SYNC_SECONDS", value: "300" }] } },
  { name: "late", job: { activeDeadlineSeconds: 2 }, container: { env: [{ name: "SYNC_SECONDS", value: "300" }] } },
  // A registry that refuses the connection fails at once; a name that is none would be looked up for long.
  { name: "no-image", container: { image: "127.0.0.1:1/no-such-image:1" } },
  { name: "never-pulled", container: { image: "dev.local/no-such-image:1", imagePullPolicy: "Never" } },
  { name: "no-node", pod: { nodeSelector: { "example.com/disk": "holographic" } } },
  { name: "no-command", container: { command: ["/no/such/program"] } },
  { name: "paused", container: { env: [{ name: "SYNC_SECONDS", value: "5" }] }, job: { suspend: true } },
  { name: "forgotten", job: { ttlSecondsAfterFinished: 0 } },
  { name: "unremembered", cronJob: { successfulJobsHistoryLimit: 0 } },
];

/** The manifests of the CronJobs; who plays the script stores them first, each in its own way. */
export const runningCronJobs = (namespace: string): JsonObject[] =>
  runs.map(({ name, container, pod, job, cronJob }) => ({
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name, namespace },
    spec: {
      schedule: "0 3 * * *",
      suspend: true,
      ...cronJob,
      jobTemplate: {
        spec: {
          backoffLimit: 0,
          ...job,
          template: {
            spec: {
              restartPolicy: "Never",
              terminationGracePeriodSeconds: 2,
              // Without it the node would mount a token, which a local process does not get.
              automountServiceAccountToken: false,
              ...pod,
              containers: [
                {
                  name: "sync",
                  image,
                  command: ["node", "sync.mjs"],
                  env: [{ name: "SYNC_SECONDS", value: "0" }],
                  resources: { requests: { cpu: "5m", memory: "16Mi" } },
                  ...container,
                },
              ],
            },
          },
        },
      },
    },
  })) as unknown as JsonObject[];

const hasCondition = (type: string) => (body: JsonObject) =>
  ((at(body, "status.conditions") ?? []) as { type: string; status: string }[]).some(
    (condition) => condition.type === type && condition.status === "True",
  );

const waitsFor = (reason: string) => (body: JsonObject) =>
  JSON.stringify(body.items ?? []).includes(`"reason":"${reason}"`);
const phase = (name: string) => (body: JsonObject) => at(body, "items.0.status.phase") === name;
const isEmpty = (body: JsonObject) => (body.items as unknown[] | undefined)?.length === 0;

/** Jobs that really run, seen through the API. Only states that stay are compared, each waited for. */
export const runSteps = (namespace: string): Step[] => {
  const jobs = `${batch(namespace)}/jobs`;
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  const podsOf = (name: string) => `${pods}?labelSelector=job-name%3Drun-${name}`;
  const logOf = (name: string, query: string) => (seen: Seen) =>
    `${pods}/${at(seen(`${name}: its pod`), "items.0.metadata.name")}/log?${query}`;
  const read = (path: string | ((seen: Seen) => string), until?: Step["until"]) => ({
    method: "GET",
    path,
    ...(until && { until }),
  });

  const trigger = (name: string): Step[] => [
    { name: `${name}: its CronJob`, ...read(`${batch(namespace)}/cronjobs/${name}`) },
    {
      name: `${name}: triggered`,
      method: "POST",
      path: jobs,
      bodyFrom: (seen) => {
        const source = seen(`${name}: its CronJob`);
        const { uid } = source.metadata as { uid: string };
        return {
          apiVersion: "batch/v1",
          kind: "Job",
          metadata: {
            name: `run-${name}`,
            ownerReferences: [{ apiVersion: "batch/v1", kind: "CronJob", name, uid, controller: true }],
          },
          spec: at(source, "spec.jobTemplate.spec"),
        };
      },
    },
  ];
  const ends = (name: string, how: "Complete" | "Failed"): Step[] => [
    { name: `${name}: ended`, ...read(`${jobs}/run-${name}`, hasCondition(how)) },
  ];
  const logs = (name: string, queries: readonly string[]): Step[] =>
    queries.map((query) => ({ name: `${name}: log ${query}`, ...read(logOf(name, query)) }));

  return [
    ...trigger("succeeds"),
    ...ends("succeeds", "Complete"),
    { name: "succeeds: its pod", ...read(podsOf("succeeds")) },
    ...logs("succeeds", [
      "",
      "follow=true",
      "tailLines=2",
      "tailLines=0",
      "tailLines=1000",
      "limitBytes=30",
      "limitBytes=1000000&tailLines=1",
      "container=sync&tailLines=1",
      "container=other",
      "timestamps=true&tailLines=1",
      "sinceSeconds=100000&tailLines=3",
      "sinceTime=2001-01-01T00:00:00Z&tailLines=3",
      "sinceTime=2101-01-01T00:00:00Z",
      "previous=true",
      "tailLines=-1",
      "tailLines=x",
      "sinceSeconds=0",
      "sinceSeconds=1&sinceTime=2001-01-01T00:00:00Z",
      "sinceTime=yesterday",
      "limitBytes=0",
    ]),
    { name: "log of no such pod", ...read(`${pods}/no-such/log`) },
    {
      name: "the CronJob remembers its success",
      ...read(`${batch(namespace)}/cronjobs/succeeds`, (body) => at(body, "status.lastSuccessfulTime") !== undefined),
    },

    ...trigger("fails"),
    ...ends("fails", "Failed"),
    { name: "fails: its pod", ...read(podsOf("fails")) },
    ...logs("fails", ["tailLines=1"]),

    ...trigger("retried"),
    ...ends("retried", "Failed"),
    { name: "retried: its pod", ...read(podsOf("retried")) },
    ...logs("retried", [""]),

    ...trigger("no-command"),
    ...ends("no-command", "Failed"),
    { name: "no-command: its pod", ...read(podsOf("no-command")) },

    ...trigger("slow"),
    { name: "slow: its pod", ...read(podsOf("slow"), phase("Running")) },
    { name: "slow: runs", ...read(`${jobs}/run-slow`, (body) => at(body, "status.ready") === 1) },
    {
      name: "slow: log so far",
      ...read(logOf("slow", ""), (_body, _status, text) => text.includes("trade sync: started")),
    },
    { name: "slow: deleted", method: "DELETE", path: `${jobs}/run-slow?propagationPolicy=Background` },
    { name: "slow: no pods left", ...read(podsOf("slow"), isEmpty) },

    ...trigger("late"),
    ...ends("late", "Failed"),
    { name: "late: no pods left", ...read(podsOf("late"), isEmpty) },

    ...trigger("no-image"),
    { name: "no-image: its pod", ...read(podsOf("no-image"), waitsFor("ImagePullBackOff")) },
    { name: "no-image: its Job", ...read(`${jobs}/run-no-image`, (body) => at(body, "status.active") === 1) },
    {
      name: "no-image: log",
      ...read(logOf("no-image", ""), (body) => JSON.stringify(body).includes("trying and failing")),
    },

    ...trigger("never-pulled"),
    { name: "never-pulled: its pod", ...read(podsOf("never-pulled"), waitsFor("ErrImageNeverPull")) },
    ...logs("never-pulled", [""]),

    ...trigger("no-node"),
    { name: "no-node: its pod", ...read(podsOf("no-node"), waitsFor("Unschedulable")) },
    ...logs("no-node", ["", "container=sync&follow=true"]),

    ...trigger("paused"),
    { name: "paused: waits", ...read(`${jobs}/run-paused`, hasCondition("Suspended")) },
    { name: "paused: no pods", ...read(podsOf("paused")) },
    {
      name: "paused: resumed",
      method: "PATCH",
      path: `${jobs}/run-paused`,
      headers: mergePatch,
      body: { spec: { suspend: false } },
    },
    { name: "paused: its pod", ...read(podsOf("paused"), phase("Running")) },
    { name: "paused: runs", ...read(`${jobs}/run-paused`, (body) => at(body, "status.ready") === 1) },
    {
      name: "paused: again",
      method: "PATCH",
      path: `${jobs}/run-paused`,
      headers: mergePatch,
      body: { spec: { suspend: true } },
    },
    { name: "paused: no pods again", ...read(podsOf("paused"), isEmpty) },
    {
      name: "paused: waits again",
      ...read(`${jobs}/run-paused`, (body) => hasCondition("Suspended")(body) && at(body, "status.terminating") === 0),
    },
    {
      name: "paused: resumed again",
      method: "PATCH",
      path: `${jobs}/run-paused`,
      headers: mergePatch,
      body: { spec: { suspend: false } },
    },
    ...ends("paused", "Complete"),

    ...trigger("forgotten"),
    { name: "forgotten: gone", ...read(`${jobs}/run-forgotten`, (_body, status) => status === 404) },
    ...trigger("unremembered"),
    { name: "unremembered: gone", ...read(`${jobs}/run-unremembered`, (_body, status) => status === 404) },
    { name: "unremembered: no pods left", ...read(podsOf("unremembered"), isEmpty) },
  ];
};
