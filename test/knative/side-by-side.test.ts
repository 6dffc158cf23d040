import { beforeAll, describe, expect, test } from "vitest";
import type { JsonObject } from "../../functions/core/json.ts";
import { alter, alterations, richCronJob } from "../cluster/job-alterations.ts";
import { listJobs } from "../support/jobs.ts";
import type { KubeApi } from "../support/kube-api.ts";
import { kubectl } from "../support/kubectl.ts";
import { grantedBy, rightsNeededOf } from "../support/rights.ts";
import { rightsOf, rightsOfAnybody } from "../support/rights-on-cluster.ts";
import { connectAs } from "../support/service-account.ts";
import { all403, type Call, callsBeyondRights, statusesOf } from "./support/calls-beyond-rights.ts";
import { cloneOf } from "./support/clone-of.ts";
import { api } from "./support/cluster.ts";
import { settingsPatch, userPatch, withoutPage } from "./support/copy-overlay.ts";
import { eventually } from "./support/eventually.ts";
import { type Installation, install, type Plan } from "./support/install.ts";
import { trigger } from "./support/jobs.ts";
import { removeAfterwards } from "./support/keep-on-failure.ts";
import { readFunctionLog, runInFunction, wake } from "./support/pods.ts";
import { syncCronJob } from "./support/sync-cronjob.ts";

type Side = Installation & { asFunction: KubeApi; cronJob: JsonObject };

/** As OpenShift would choose one for a namespace. */
const anyUser = 1_000_710_000;

let first: Side;
let second: Side;
beforeAll(async () => {
  const patches = [settingsPatch({ REQUIRE_POLICY: "true" }), userPatch(anyUser), withoutPage];
  [first, second] = await Promise.all([
    arrange({ overlay: "kraken", what: "first", cronJob: syncCronJob({ isIdle: true }), patches: [withoutPage] }),
    arrange({ overlay: "kraken", what: "second", cronJob: richCronJob, patches }),
  ]);
});
removeAfterwards(() => [first, second]);

async function arrange(plan: Plan): Promise<Side> {
  const installation = await install(plan);
  const { namespace, cronJobName } = installation;
  const { api: asFunction } = await connectAs("sync-trigger", namespace);
  const cronJob = await api.expect("GET", `/apis/batch/v1/namespaces/${namespace}/cronjobs/${cronJobName}`);
  return { ...installation, asFunction, cronJob };
}

const sides = () =>
  [
    [first, second],
    [second, first],
  ] as const;

const jobsPath = ({ namespace }: Installation) => `/apis/batch/v1/namespaces/${namespace}/jobs`;

const labelled: Parameters<typeof alter>[1] = [["metadata/annotations/more", "x"]];

/** The status and message with which a Job is answered, not stored. */
async function answerTo(by: KubeApi, side: Side, job: JsonObject): Promise<string> {
  const { status, body } = await by.call("POST", `${jobsPath(side)}?dryRun=All`, job);
  return `${status} ${String(body.message ?? "")}`;
}

const denied = ({ namespace }: Side) =>
  expect.stringMatching(`^422 .*ValidatingAdmissionPolicy 'sync-trigger-clone-only.${namespace}' .* denied request`);

describe("two installations for CronJobs of different names in different namespaces", () => {
  test("both make their Jobs, and say that their policy is enforced", async () => {
    for (const [own] of sides()) {
      const { status, job } = await trigger(own);
      expect([status, job?.namespace]).toEqual([200, own.namespace]);
      expect(job?.name).toMatch(new RegExp(`^${own.cronJobName}-m`));
      expect(await listJobs(api, own.namespace)).toHaveLength(1);
      await eventually("the policy's canary", async () =>
        (await readFunctionLog(own.namespace)).some(({ policy }) => policy === "enforced"),
      );
    }
  });

  test("the image runs as whatever user the cluster chooses", async () => {
    const user = await runInFunction(second.namespace, await wake(second), "console.log(process.getuid())");
    expect(Number(user)).toBe(anyUser);
  });

  test("neither can do the other's work, nor any but its own", async () => {
    for (const [own, other] of sides()) {
      const calls: Call[] = [
        ...callsBeyondRights(own, other),
        ["POST", jobsPath(other), cloneOf(other.cronJob)],
        ["GET", `/apis/batch/v1/namespaces/${own.namespace}/cronjobs/${other.cronJobName}`],
      ];
      expect(await statusesOf(own.asFunction, calls)).toEqual(all403(calls));
    }
  });

  test("each may do what its components' code asks for, and beyond it only what every ServiceAccount may", async () => {
    const granting = grantedBy("kraken");
    for (const [own] of sides()) {
      const common = await rightsOfAnybody(own.namespace);
      expect(common.length, "what every ServiceAccount may").toBeGreaterThan(0);
      const needed = granting.flatMap((directory) => rightsNeededOf(directory, own.cronJobName));
      expect((await rightsOf(own.asFunction, own.namespace)).sort()).toEqual(
        [...new Set([...common, ...needed])].sort(),
      );
    }
  });

  test("the policy of each holds: a clone is admitted, with one annotation more it is denied", async () => {
    for (const [own] of sides()) {
      expect(await answerTo(own.asFunction, own, cloneOf(own.cronJob))).toMatch(/^201 /);
      expect(await answerTo(own.asFunction, own, alter(cloneOf(own.cronJob), labelled))).toEqual(denied(own));
    }
  });

  test.each(alterations)("with the function's own token this is denied: %s", async (_what, ...edits) => {
    const job = alter(cloneOf(second.cronJob), edits);
    expect(await answerTo(api, second, job), "Kubernetes itself takes it").toMatch(/^201 /);
    expect(await answerTo(second.asFunction, second, job)).toEqual(denied(second));
  });

  test("an administrator still runs kubectl create job --from", async () => {
    for (const [own] of sides()) {
      const from = `cronjob/${own.cronJobName}`;
      await kubectl("create", "job", "by-hand", "--from", from, "--namespace", own.namespace);
    }
  });
});
