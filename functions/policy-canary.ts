import { randomUUID } from "node:crypto";
import { jobFromCronJob } from "./core/job-from-cronjob.ts";
import { jobName } from "./core/job-name.ts";
import { isJsonObject, type JsonObject } from "./core/json.ts";
import { keyDigest } from "./core/key.ts";
import { Fault } from "./errors.ts";
import { ApiError } from "./kubernetes/api-error.ts";
import type { Cluster } from "./kubernetes/cluster.ts";
import type { Logger } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { untilAborted } from "./until-aborted.ts";

/** Whether the API server admits nothing but clones from us (manifests/components/clone-only). */
export type PolicyCanary = {
  /**
   * Called with the CronJob of each trigger before its Job is created. Throws 503 where the policy is required and not
   * enforced; otherwise only makes sure that somebody looks, some time after the trigger was `answered`.
   */
  beforeTrigger(cronJob: JsonObject, signal: AbortSignal, answered: Promise<void>): Promise<void>;
};

type Finding = "enforced" | "not enforced" | "unknown";

/** How the API server names our policy, behind it its namespace; a denial by anything else says nothing of it. */
const denialByOurs = "ValidatingAdmissionPolicy 'sync-trigger-clone-only.";
/** So long after the first answer: a cold start must not wait for it. */
const firstLookMs = 2_000;
/** The policy is looked for again after this long: somebody may have removed it. */
const goodForMs = 300_000;
/** An annotation too many: no other policy has a reason to deny it, as one about images or resources might. */
const alteration = { "sync-trigger-canary": "altered" };
/** A binding of its own holds Jobs with this label (components/clone-only/binding-labelled.yaml), so that is tried too. */
const label = { "sync-trigger.internal/component": "canary" };
/** Who shares a look may leave it; the transport bounds the request itself. */
const never = new AbortController().signal;

/**
 * Finds out by dry runs of Jobs that are no clones (one annotation too many, with our label and without): the API server
 * must refuse each, and name our policy. Nothing is ever stored.
 */
export function createPolicyCanary(
  cluster: Pick<Cluster, "tryJob">,
  { isRequired, metrics, log }: { isRequired: boolean; metrics: Metrics; log: Logger },
): PolicyCanary {
  let last: Finding | undefined;
  let foundAtMs = 0;
  let looking: Promise<Finding> | undefined;

  async function look(cronJob: JsonObject): Promise<Finding> {
    const plain = await tryAltered(cluster, cronJob, {});
    const { finding, message } = plain.finding === "enforced" ? await tryAltered(cluster, cronJob, label) : plain;
    if (finding !== "unknown") metrics.setPolicyEnforced(finding === "enforced");
    if (finding !== last)
      log[finding === "enforced" ? "info" : "warn"]({ policy: finding, message }, "clone-only policy");
    last = finding;
    foundAtMs = performance.now();
    return finding;
  }

  return {
    async beforeTrigger(cronJob, signal, answered) {
      if (!isRequired) {
        const isKnown = last !== undefined && last !== "unknown" && performance.now() - foundAtMs < goodForMs;
        if (isKnown || looking) return;
        looking = answered
          .then(() => new Promise<void>((resolve) => setTimeout(resolve, firstLookMs).unref()))
          .then(() => look(cronJob))
          .finally(() => {
            looking = undefined;
          });
        looking.catch((error) => log.error({ err: error }, "clone-only policy"));
        return;
      }
      if (last === "enforced" && performance.now() - foundAtMs < goodForMs) return;
      looking ??= look(cronJob).finally(() => {
        looking = undefined;
      });
      // Whose time is over leaves; the look goes on for the others.
      const finding = await untilAborted(looking, signal).catch((error) => {
        if (!signal.aborted) throw error;
        return "unknown";
      });
      if (finding === "enforced") return;
      throw new Fault(
        "policy-missing",
        `REQUIRE_POLICY is true and the clone-only policy is ${finding}; manifests/components/clone-only installs it`,
        { headers: { "Retry-After": "10" } },
      );
    },
  };
}

async function tryAltered(cluster: Pick<Cluster, "tryJob">, cronJob: JsonObject, labels: JsonObject) {
  try {
    await cluster.tryJob(alteredJob(cronJob, labels), { signal: never });
    const what = ["an annotation too many", ...Object.keys(labels).map((name) => `the label ${name}`)].join(" and ");
    return { finding: "not enforced" as const, message: `a Job with ${what} would be admitted` };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const { status, message } = error.failure;
    // A policy that cannot find its CronJob denies everything, clones too: that is no enforcement (kubernetes#130887).
    const isBroken = message.includes("no params found");
    const isOurs = (status === 403 || status === 422) && message.includes(denialByOurs) && !isBroken;
    return { finding: isOurs ? ("enforced" as const) : ("unknown" as const), message };
  }
}

function alteredJob(cronJob: JsonObject, more: JsonObject): JsonObject {
  const { name, namespace } = (isJsonObject(cronJob.metadata) ? cronJob.metadata : {}) as Record<string, string>;
  const ref = { namespace: namespace ?? "", name: name ?? "" };
  const digest = keyDigest(ref, { kind: "random", parts: [randomUUID()] });
  const job = jobFromCronJob(cronJob, jobName(ref.name, digest), {
    ...{ keyDigest: digest, requestDigest: "", via: "http", traceparent: "" },
  });
  const metadata = job.metadata as JsonObject;
  const annotations = { ...(metadata.annotations as JsonObject), ...alteration };
  const labels = { ...(metadata.labels as JsonObject | undefined), ...more };
  return { ...job, metadata: { ...metadata, labels, annotations } };
}
