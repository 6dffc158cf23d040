import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { jobFromCronJob } from "../../functions/core/job-from-cronjob.ts";
import { jobName } from "../../functions/core/job-name.ts";
import type { JsonObject } from "../../functions/core/json.ts";
import { keyDigest } from "../../functions/core/key.ts";
import { startFunction } from "../support/function-process.ts";
import { type Installation, install } from "../support/installation.ts";
import { metadataOf } from "../support/jobs.ts";
import type { KubeAnswer } from "../support/kube-api.ts";
import { kubectl } from "../support/kubectl.ts";
import { connectAs } from "../support/service-account.ts";
import { openTarget, type Target } from "../support/target.ts";
import { until } from "../support/until.ts";
import { cronJobShapes } from "./cronjob-shapes.ts";
import { alter, alterations, richCronJob, sparseShapes } from "./job-alterations.ts";

const plan = { resources: ["rights"], components: ["clone-only"] };

let target: Target;
let keep = false;
const installations: Installation[] = [];

beforeAll(async () => {
  target = await openTarget("clone-only");
});
beforeEach(({ onTestFailed }) => {
  onTestFailed(() => {
    keep = true;
  });
});
afterAll(async () => {
  if (!keep) for (const installation of installations) await installation.remove();
  await target?.close({ keep });
});

/** A namespace with a CronJob and an installation for it, once its policy is in force. */
async function arrange(what: string, cronJob: JsonObject) {
  const namespace = await target.createNamespace(what);
  const stored = await target.seedCronJob(namespace, cronJob);
  const { name: cronJobName } = metadataOf(stored);
  const installation = await install({ ...plan, namespace, cronJobName });
  installations.push(installation);
  await until("the policy to be in force", async () => {
    const { text } = await post(installation, namespace, harmless(stored));
    return text.includes(`sync-trigger-clone-only.${namespace}`);
  });
  return { namespace, cronJob: stored, cronJobName, installation };
}

let counter = 0;

/** What the function would post for this CronJob, each time for a new key. */
function clone(cronJob: JsonObject): JsonObject {
  const { name, namespace } = cronJob.metadata as { name: string; namespace: string };
  counter += 1;
  const digest = keyDigest({ namespace, name }, { kind: "http", parts: [`${process.pid}-${counter}`] });
  return jobFromCronJob(cronJob, jobName(name, digest), {
    keyDigest: digest,
    requestDigest: digest,
    via: "http",
    traceparent: "00-0-0-00",
    reason: "a test",
  });
}

/** A clone that only has a label too many. */
function harmless(cronJob: JsonObject): JsonObject {
  const job = clone(cronJob);
  const metadata = job.metadata as JsonObject;
  return { ...job, metadata: { ...metadata, labels: { ...(metadata.labels as JsonObject), altered: "yes" } } };
}

/** A Job that has nothing of the CronJob. */
const anyJob: JsonObject = {
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: { generateName: "report-" },
  spec: {
    suspend: true,
    template: { spec: { restartPolicy: "Never", containers: [{ name: "report", image: "dev.local/report:1" }] } },
  },
};

const post = ({ asFunction }: Pick<Installation, "asFunction">, namespace: string, job: JsonObject, query = "") =>
  asFunction.call("POST", `/apis/batch/v1/namespaces/${namespace}/jobs${query}`, job);

const dryRun = "?dryRun=All";

function verdict({ status, body }: KubeAnswer): string {
  return `${status} ${String(body.message ?? "")}`;
}

/** What the API server says when this policy denies. */
const denied = (namespace: string) =>
  expect.stringMatching(`^422 .*ValidatingAdmissionPolicy 'sync-trigger-clone-only.${namespace}' .* denied request`);

/** Expects the policy to deny a Job to the function that Kubernetes itself takes. */
async function expectDenied({ installation, namespace, job }: Denied, what: string): Promise<void> {
  const byAdmin = await post({ asFunction: target.api }, namespace, job, dryRun);
  expect(verdict(byAdmin), `Kubernetes itself takes it: ${what}`).toMatch(/^201 /);
  expect(verdict(await post(installation, namespace, job)), what).toEqual(denied(namespace));
}
type Denied = { installation: Installation; namespace: string; job: JsonObject };

describe("from the function's ServiceAccount", () => {
  test.each(cronJobShapes)("a clone is admitted: %s", async (what, cronJob) => {
    const { namespace, cronJob: stored, installation } = await arrange(`shape ${what}`, cronJob);
    expect(verdict(await post(installation, namespace, clone(stored)))).toMatch(/^201 /);
  });

  test.each(sparseShapes)("a clone is admitted, altered ones are denied: %s", async (what, cronJob, ...altered) => {
    const { namespace, cronJob: stored, installation } = await arrange(`sparse ${what}`, cronJob);
    expect(verdict(await post(installation, namespace, clone(stored)))).toMatch(/^201 /);
    for (const [alteration, ...edits] of altered) {
      await expectDenied({ installation, namespace, job: alter(clone(stored), edits) }, alteration);
    }
  });

  describe("each single alteration of a clone is denied", () => {
    let arranged: Awaited<ReturnType<typeof arrange>>;
    beforeAll(async () => {
      arranged = await arrange("alterations", richCronJob);
    });

    test("the unaltered clone is admitted", async () => {
      const { namespace, cronJob, installation } = arranged;
      expect(verdict(await post(installation, namespace, clone(cronJob)))).toMatch(/^201 /);
    });

    test.each(alterations)("%s", async (what, ...edits) => {
      const { namespace, cronJob, installation } = arranged;
      await expectDenied({ installation, namespace, job: alter(clone(cronJob), edits) }, what);
    });
  });

  test("a trigger makes its Job", async () => {
    const { cronJobName, installation } = await arrange("trigger", richCronJob);
    const running = await startFunction({ KUBECONFIG: installation.kubeconfig, CRONJOB_NAME: cronJobName });
    const answer = await fetch(`${running.url}/trigger-sync`, { method: "POST" });
    await running.stop();
    expect([answer.status, running.output()]).toEqual([200, expect.any(String)]);
  });

  test("a template that was changed a moment ago is the one that counts", async () => {
    const { namespace, cronJob, cronJobName, installation } = await arrange("changed", richCronJob);
    const path = `/apis/batch/v1/namespaces/${namespace}/cronjobs/${cronJobName}`;
    const patch = { spec: { jobTemplate: { spec: { activeDeadlineSeconds: 700 } } } };
    const headers = { "content-type": "application/merge-patch+json" };
    const changed = await target.api.expect("PATCH", path, patch, headers);
    await until("the new template's clone to be admitted", async () => {
      return (await post(installation, namespace, clone(changed), dryRun)).status === 201;
    });
    expect(verdict(await post(installation, namespace, clone(cronJob), dryRun))).toEqual(denied(namespace));
  });
});

describe("from anybody else", () => {
  let arranged: Awaited<ReturnType<typeof arrange>>;
  beforeAll(async () => {
    arranged = await arrange("others", richCronJob);
  });

  test("any Job is admitted, by hand and by kubectl create job --from", async () => {
    const { namespace, cronJob, cronJobName } = arranged;
    expect(verdict(await post({ asFunction: target.api }, namespace, harmless(cronJob)))).toMatch(/^201 /);
    await kubectl("create", "job", "by-hand", "--from", `cronjob/${cronJobName}`, "--namespace", namespace);
  });

  test("any Job is admitted from another ServiceAccount that may create Jobs", async () => {
    const { namespace, cronJob } = arranged;
    const names = ["deployer", "--namespace", namespace];
    await kubectl("create", "serviceaccount", ...names);
    await kubectl("create", "role", ...names, "--verb=create", "--resource=jobs.batch");
    await kubectl("create", "rolebinding", ...names, "--role=deployer", `--serviceaccount=${namespace}:deployer`);
    const { api, forget } = await connectAs("deployer", namespace);
    const verdicts = [clone(cronJob), harmless(cronJob), anyJob].map(async (job) =>
      verdict(await post({ asFunction: api }, namespace, job)),
    );
    expect(await Promise.all(verdicts).finally(forget)).toEqual(verdicts.map(() => expect.stringMatching(/^201 /)));
    // The function itself may not: without this, a policy that is not in force would pass as well.
    expect(verdict(await post(arranged.installation, namespace, anyJob, dryRun))).toEqual(denied(namespace));
  });

  test("the CronJob controller makes its own", async () => {
    const { namespace } = arranged;
    const spec = { ...(richCronJob.spec as JsonObject), schedule: "* * * * *", suspend: false };
    await target.seedCronJob(namespace, { ...richCronJob, metadata: { name: "minutely" }, spec });
    const isScheduled = ({ metadata }: { metadata: { name: string } }) => /^minutely-\d+$/.test(metadata.name);
    const path = `/apis/batch/v1/namespaces/${namespace}/jobs`;
    await until(
      "a scheduled Job",
      async () => ((await target.api.expect("GET", path)).items as never[]).some(isScheduled),
      90_000,
    );
  });
});

describe("while the CronJob does not exist", () => {
  let arranged: Awaited<ReturnType<typeof arrange>>;
  const label = { "sync-trigger.internal/component": "dead-letter" };
  const job = (labels: JsonObject): JsonObject => {
    const job = clone(arranged.cronJob);
    return { ...job, metadata: { ...(job.metadata as JsonObject), labels } };
  };
  beforeAll(async () => {
    arranged = await arrange("deleted", richCronJob);
    const { namespace, cronJobName, installation, cronJob } = arranged;
    await target.api.expect("DELETE", `/apis/batch/v1/namespaces/${namespace}/cronjobs/${cronJobName}`);
    await until("its clone to be denied", async () => {
      return (await post(installation, namespace, clone(cronJob), dryRun)).status === 422;
    });
  });

  test("the function's ServiceAccount can create no Job, labelled or not", async () => {
    const { namespace, installation } = arranged;
    expect(verdict(await post(installation, namespace, job({}), dryRun))).toEqual(denied(namespace));
    expect(verdict(await post(installation, namespace, job(label), dryRun))).toEqual(denied(namespace));
  });

  test("others can create those with our label, such as JobSink for a dead letter", async () => {
    const { namespace } = arranged;
    const asFunction = target.api;
    expect(verdict(await post({ asFunction }, namespace, job(label), dryRun))).toMatch(/^201 /);
    // The price, told in the component: the API server looks for the CronJob before it asks who is calling.
    expect(verdict(await post({ asFunction }, namespace, job({}), dryRun))).toEqual(denied(namespace));
  });
});

describe("two installations side by side", () => {
  test("each admits its own clones, denies alterations, and outlives the other", async () => {
    const first = await arrange("first", richCronJob);
    const second = await arrange("second", { ...richCronJob, metadata: { name: "weekly-report" } });
    for (const [own, other] of [
      [first, second],
      [second, first],
    ] as const) {
      const { installation, namespace, cronJob } = own;
      expect(verdict(await post(installation, namespace, clone(cronJob)))).toMatch(/^201 /);
      expect(verdict(await post(installation, namespace, harmless(cronJob)))).toEqual(denied(namespace));
      const elsewhere = await post(installation, other.namespace, clone(other.cronJob));
      expect(verdict(elsewhere), "the other's work is not its own").toMatch(/^403 /);
    }
    await first.installation.remove();
    installations.splice(installations.indexOf(first.installation), 1);
    const { installation, namespace, cronJob } = second;
    expect(verdict(await post(installation, namespace, clone(cronJob)))).toMatch(/^201 /);
    expect(verdict(await post(installation, namespace, harmless(cronJob)))).toEqual(denied(namespace));
  });
});
