import { onTestFinished } from "vitest";
import { type EmbeddedCluster, type EmbeddedOptions, startEmbeddedCluster } from "../../dev/embedded-cluster.ts";
import type { JsonObject } from "../../functions/core/json.ts";
import { at } from "./calls/step.ts";

/** An embedded cluster for one test, with short ways to call it. */
export interface TestCluster extends EmbeddedCluster {
  call(method: string, path: string, body?: unknown, type?: string): Promise<{ status: number; body: JsonObject }>;
  text(path: string): Promise<string>;
  /** Asks until the answer satisfies, and throws with the last one after thirty seconds. */
  until(path: string, satisfies: (body: JsonObject, status: number) => boolean): Promise<JsonObject>;
  /** Seeds a CronJob in the namespace `n` that runs a shell script, and makes a Job of it. */
  run(name: string, script: string, options?: RunOptions): Promise<JsonObject>;
}

/** What a CronJob has besides its script. */
export interface RunOptions {
  env?: { name: string; value: string }[];
  /** Changes to the Job's spec and to the pod's. */
  job?: object;
  pod?: object;
  cronJob?: object;
}

const deadlineMs = 50_000;
const image = "dev.local/shell:1";

/** Starts a cluster that ends with the test. */
export async function openCluster(options: EmbeddedOptions = {}): Promise<TestCluster> {
  const cluster = await startEmbeddedCluster({ images: { [image]: "." }, podBackoffMs: 20, ...options });
  onTestFinished(() => cluster.close());

  const call: TestCluster["call"] = async (method, path, body, type = "application/json") => {
    const answer = await fetch(cluster.url + path, {
      method,
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
      headers: { "content-type": type },
    });
    const text = await answer.text();
    return { status: answer.status, body: text.startsWith("{") ? (JSON.parse(text) as JsonObject) : { text } };
  };

  const until: TestCluster["until"] = async (path, satisfies) => {
    const giveUpAtMs = Date.now() + deadlineMs;
    for (;;) {
      const { status, body } = await call("GET", path);
      if (satisfies(body, status)) return body;
      if (Date.now() > giveUpAtMs) throw new Error(`${path}: still ${status} ${JSON.stringify(body)}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };

  return {
    ...cluster,
    call,
    until,
    text: async (path) => (await fetch(cluster.url + path)).text(),
    run: async (name, script, runOptions = {}) => {
      const seeded = await cluster.seedCronJob(shellCronJob(name, script, runOptions));
      const { status, body } = await call("POST", jobsPath, jobOf(seeded, name));
      if (status !== 201) throw new Error(JSON.stringify(body));
      return body;
    },
  };
}

/** The Jobs of the namespace `n`. */
export const jobsPath = "/apis/batch/v1/namespaces/n/jobs";
/** The pods of the namespace `n`. */
export const podsPath = "/api/v1/namespaces/n/pods";
/** The CronJobs of the namespace `n`. */
export const cronJobsPath = "/apis/batch/v1/namespaces/n/cronjobs";
/** The pods of one Job. */
export const podsOf = (name: string) => `${podsPath}?labelSelector=job-name%3D${name}`;

/** A CronJob in the namespace `n` whose one container runs a shell script. */
export const shellCronJob = (name: string, script: string, { env = [], job, pod, cronJob }: RunOptions = {}) =>
  ({
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name, namespace: "n" },
    spec: {
      schedule: "0 3 * * *",
      ...cronJob,
      jobTemplate: {
        spec: {
          backoffLimit: 0,
          ...job,
          template: {
            spec: {
              restartPolicy: "Never",
              terminationGracePeriodSeconds: 5,
              containers: [{ name: "main", image, command: ["/bin/sh", "-c", script], env }],
              ...pod,
            },
          },
        },
      },
    },
  }) as unknown as JsonObject;

/** A Job as kubectl makes it from a stored CronJob. */
export const jobOf = (cronJob: JsonObject, name: string) => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: {
    name,
    ownerReferences: [
      {
        apiVersion: "batch/v1",
        kind: "CronJob",
        name: at(cronJob, "metadata.name"),
        uid: at(cronJob, "metadata.uid"),
        controller: true,
      },
    ],
  },
  spec: at(cronJob, "spec.jobTemplate.spec"),
});

/** Whether a Job has ended, in that way. */
export const endedAs = (how: "Complete" | "Failed") => (body: JsonObject) =>
  JSON.stringify(at(body, "status.conditions") ?? []).includes(`"type":"${how}"`);

/** The log of a Job's only pod, once the Job has ended. */
export async function logOf(cluster: TestCluster, name: string, query = ""): Promise<string> {
  await cluster.until(`${jobsPath}/${name}`, (body) => endedAs("Complete")(body) || endedAs("Failed")(body));
  const pods = await cluster.call("GET", podsOf(name));
  return cluster.text(`${podsPath}/${at(pods.body, "items.0.metadata.name")}/log?${query}`);
}
