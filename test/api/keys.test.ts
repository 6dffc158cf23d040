import { afterAll, beforeAll, expect, test } from "vitest";
import { readTrigger } from "../support/answers.ts";
import { idleCronJob } from "../support/cronjobs.ts";
import { type FunctionProcess, startFunction } from "../support/function-process.ts";
import { listJobs } from "../support/jobs.ts";
import { openTarget, type Target } from "../support/target.ts";

let target: Target;
let replicas: FunctionProcess[] = [];

beforeAll(async () => {
  target = await openTarget("keys");
});

afterAll(async () => {
  await Promise.all(replicas.map((replica) => replica.stop()));
  await target?.close();
});

async function startReplicas(name: string): Promise<string> {
  await Promise.all(replicas.map((replica) => replica.stop()));
  const namespace = await target.createNamespace(name);
  await target.seedCronJob(namespace, idleCronJob("sync"));
  const env = { ...(await target.env()), CRONJOB_NAME: "sync", CRONJOB_NAMESPACE: namespace };
  replicas = await Promise.all([1, 2, 3].map(() => startFunction(env)));
  return namespace;
}

const replicaOf = (index: number) => replicas[index % replicas.length]?.url ?? "";

test("200 parallel deliveries of one key over three processes make one Job, and every answer is a success", async () => {
  const namespace = await startReplicas("one key");
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, index) =>
      fetch(`${replicaOf(index)}/trigger-sync`, { method: "POST", headers: { "idempotency-key": "one" } }),
    ),
  );
  const bodies = await Promise.all(answers.map(readTrigger));
  expect(new Set(bodies.map(({ job }) => job.uid)).size).toBe(1);
  expect(bodies.filter(({ outcome }) => outcome === "created")).toHaveLength(1);
  expect(await listJobs(target.api, namespace)).toHaveLength(1);
});

test("50 keys, mixed over HTTP and events and repeated, make exactly 50 Jobs", async () => {
  const namespace = await startReplicas("many keys");
  const deliveries = Array.from({ length: 200 }, (_, index) => ({ key: `key-${index % 50}`, index }));
  const statuses = await Promise.all(
    deliveries.map(async ({ key, index }) => {
      // Half of the keys are event ids, half are header values; each comes four times.
      const headers: Record<string, string> =
        index % 2 === 0
          ? { "idempotency-key": key }
          : { "ce-specversion": "1.0", "ce-id": key, "ce-source": "/tests", "ce-type": "com.example.go" };
      const answer = await fetch(`${replicaOf(index * 7)}/trigger-sync`, { method: "POST", headers });
      await answer.arrayBuffer();
      return answer.status;
    }),
  );
  expect(statuses.filter((status) => status !== 200 && status !== 202)).toEqual([]);
  expect(await listJobs(target.api, namespace)).toHaveLength(50);
});
