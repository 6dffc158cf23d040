import { jobName } from "../../functions/core/job-name.ts";
import type { JsonObject } from "../../functions/core/json.ts";
import { type Key, keyDigest, requestDigest } from "../../functions/core/key.ts";
import type { Entry } from "../../functions/core/record.ts";
import type { RecordStore } from "../../functions/record-store.ts";
import { type TriggerContext, type TriggerInput, trigger } from "../../functions/trigger.ts";
import { fakeCluster, type Script } from "./fake-cluster.ts";

const key: Key = { kind: "http", parts: ["one"] };
const createdAt = "2026-01-02T03:04:05Z";

/** What the one key of these tests comes to for CronJob n/sync. */
export const digest = keyDigest({ namespace: "n", name: "sync" }, key);
export const name = jobName("sync", digest);

/** The key's Job as answers name it. */
export const made = { name, namespace: "n", uid: "job-uid", createdAt };

/** CronJob n/sync with fields of its spec and status. */
export function cronJob({ spec = {}, status = {} }: { spec?: JsonObject; status?: JsonObject } = {}): JsonObject {
  return {
    metadata: { name: "sync", namespace: "n", uid: "cronjob-uid" },
    spec: { jobTemplate: { spec: { backoffLimit: 0 } }, ...spec },
    status,
  };
}

/** Stores what is sent, as the API server would. */
export const store = (job: unknown): JsonObject => {
  const { metadata, ...rest } = job as { metadata: JsonObject };
  return { ...rest, metadata: { ...metadata, uid: "job-uid", creationTimestamp: createdAt } };
};

/** The Job that the same request made before, unfinished or ended. */
export function ownJob(
  more: { request?: { onOverlap: string; ifOlderThanMs?: number }; type?: string } = {},
): JsonObject {
  const annotations = {
    "sync-trigger.internal/key-digest": digest,
    "sync-trigger.internal/request-digest": requestDigest(more.request ?? { onOverlap: "allow" }),
    "sync-trigger.internal/traceparent": "an earlier one",
  };
  const ownerReferences = [{ uid: "cronjob-uid", controller: true }];
  const metadata = { name, namespace: "n", uid: "job-uid", creationTimestamp: createdAt, annotations, ownerReferences };
  return { metadata, status: more.type ? { conditions: [{ type: more.type, status: "True" }] } : {} };
}

/** A record in memory that counts what is written. */
export function memoryRecords(entries: Entry[] = []): RecordStore & { entries: Entry[]; writes: number } {
  const store = {
    entries,
    writes: 0,
    commit: async <T>(change: (entries: readonly Entry[]) => { entries?: Entry[]; result: T }) => {
      const { entries: next, result } = change(store.entries);
      if (next) {
        store.entries = next;
        store.writes += 1;
      }
      return result;
    },
    refresh: () => {},
    settle: async () => {},
  };
  return store;
}

/** What a trigger is to meet. */
export type TriggerOptions = {
  script: Script;
  request?: TriggerInput["request"];
  input?: Partial<TriggerInput>;
  config?: Partial<TriggerContext["config"]>;
  records?: RecordStore;
  canary?: TriggerContext["policyCanary"]["beforeTrigger"];
  announcer?: TriggerContext["announcer"];
};

/** A trigger that is ready to run on a Cluster that does as the script says. */
export function prepareTrigger({
  script,
  request = {},
  input = {},
  config = {},
  records,
  canary = async () => {},
  announcer,
}: TriggerOptions) {
  const fake = fakeCluster(script);
  const facts: Record<string, unknown> = {};
  const context: TriggerContext = {
    cluster: fake.cluster,
    namespace: "n",
    records,
    policyCanary: { beforeTrigger: canary },
    announcer,
    config: {
      ...{ cronJobName: "sync", overlapPolicy: "allow", suspendedPolicy: "allow", replyEvents: "off" },
      ...{ dedupeWindowMs: undefined, dedupeMaxKeys: 10, triggerTimeoutMs: 5_000 },
      ...config,
    },
  };
  const given: TriggerInput = { key, request, via: "http", traceparent: "00-t-s-00", ...input };
  return { ...fake, facts, run: () => trigger(given, context, (more) => Object.assign(facts, more)) };
}
