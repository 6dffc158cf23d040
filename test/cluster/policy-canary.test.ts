import { afterAll, beforeAll, expect, test } from "vitest";
import { readProblem, readTrigger } from "../support/answers.ts";
import { idleCronJob } from "../support/cronjobs.ts";
import { type FunctionProcess, startFunction } from "../support/function-process.ts";
import { listJobs } from "../support/jobs.ts";
import { openTarget, type Target } from "../support/target.ts";
import { until } from "../support/until.ts";

let target: Target;
let namespace: string;
const started: FunctionProcess[] = [];
const admission = "/apis/admissionregistration.k8s.io/v1";

beforeAll(async () => {
  target = await openTarget("policy-canary");
  namespace = await target.createNamespace("policy-canary");
  await target.seedCronJob(namespace, idleCronJob("sync"));
});

afterAll(async () => {
  await Promise.all(started.map((fn) => fn.stop()));
  await removePolicy();
  await target?.close();
});

/** Several, because the API server tells only one denial, and not always the same one's. */
const imagePolicies = Array.from({ length: 8 }, (_, index) => `images-${index}`);

/** An image that ours does not mind, to see the other policies deny it. */
const strangeImage = "registry.example/strange:1";

const altered = { annotations: { altered: "yes" } };
const labelled = { ...altered, labels: { "sync-trigger.internal/component": "x" } };

/** What a clone of our CronJob fulfils: its image, and no annotation but its own. */
const isClone = [
  `object.spec.template.spec.containers[0].image in ['dev.local/none:1', '${strangeImage}']`,
  "object.metadata.annotations.all(key, key in ['cronjob.kubernetes.io/instantiate', 'example.com/kept'] || key.startsWith('sync-trigger.internal/'))",
].join(" && ");

/** A policy about the Jobs of our namespace, under a name of its own. */
async function installPolicy(name: string, expression = isClone, objectSelector = {}): Promise<void> {
  await target.api.expect("POST", `${admission}/validatingadmissionpolicies`, {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingAdmissionPolicy",
    metadata: { name: `${name}.${namespace}` },
    spec: {
      matchConstraints: {
        resourceRules: [{ apiGroups: ["batch"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["jobs"] }],
      },
      validations: [{ expression }],
    },
  });
  await target.api.expect("POST", `${admission}/validatingadmissionpolicybindings`, {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingAdmissionPolicyBinding",
    metadata: { name: `${name}.${namespace}` },
    spec: {
      policyName: `${name}.${namespace}`,
      validationActions: ["Deny"],
      matchResources: {
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
        objectSelector,
      },
    },
  });
}

async function removePolicy(): Promise<void> {
  for (const name of ["sync-trigger-clone-only", "another-policy", ...imagePolicies]) {
    for (const kind of ["validatingadmissionpolicybindings", "validatingadmissionpolicies"]) {
      await target.api.call("DELETE", `${admission}/${kind}/${name}.${namespace}`);
    }
  }
}

async function start(env: Record<string, string> = {}): Promise<FunctionProcess> {
  const base = await target.env();
  const fn = await startFunction({ ...base, CRONJOB_NAME: "sync", CRONJOB_NAMESPACE: namespace, ...env });
  started.push(fn);
  return fn;
}

/** What the API server says of a Job with this image and metadata. */
async function tried(image: string, more: { annotations?: object; labels?: object }): Promise<string> {
  const template = { spec: { restartPolicy: "Never", containers: [{ name: "sync", image }] } };
  const metadata = { name: "altered", annotations: {}, ...more };
  const job = { apiVersion: "batch/v1", kind: "Job", metadata, spec: { suspend: true, template } };
  return (await target.api.call("POST", `/apis/batch/v1/namespaces/${namespace}/jobs?dryRun=All`, job)).text;
}

const trigger = ({ url }: FunctionProcess) => fetch(`${url}/trigger-sync`, { method: "POST" });
const finding = (fn: FunctionProcess) => fn.log.find(({ msg }) => msg === "clone-only policy")?.policy;
const metric = async ({ url }: FunctionProcess) =>
  /^sync_trigger_policy_enforced (.*)$/m.exec(await (await fetch(`${url}/metrics`)).text())?.[1];

test("without the policy the log and a metric say so some time after the first answer, and nothing is stored", async () => {
  const fn = await start();
  await readTrigger(await trigger(fn));
  expect(finding(fn)).toBeUndefined();
  expect(await until("the finding", () => finding(fn))).toBe("not enforced");
  expect(await metric(fn)).toBe("0");
  expect(await listJobs(target.api, namespace)).toHaveLength(1);
});

test("with REQUIRE_POLICY and without the policy a trigger is a 503 that says why, and readiness stays 200", async () => {
  const fn = await start({ REQUIRE_POLICY: "true" });
  const before = (await listJobs(target.api, namespace)).length;
  const answer = await trigger(fn);
  expect([answer.status, (await readProblem(answer)).type]).toEqual([503, "urn:sync-trigger:policy-missing"]);
  expect((await fetch(`${fn.url}/health/readiness`)).status).toBe(200);
  expect(await listJobs(target.api, namespace)).toHaveLength(before);
});

test("a denial by another policy does not count, ours does", async () => {
  const fn = await start({ REQUIRE_POLICY: "true" });
  await installPolicy("another-policy");
  await until("the other policy to deny", async () => {
    expect((await trigger(fn)).status).toBe(503);
    return finding(fn) === "unknown" || fn.log.some(({ policy }) => policy === "unknown");
  });
  expect(await metric(fn)).not.toBe("1");
  await removePolicy();
  await installPolicy("sync-trigger-clone-only");
  await until("our policy to be seen", async () => (await trigger(fn)).status === 200);
  expect(await metric(fn)).toBe("1");
});

test("a policy that lets Jobs with our label through, because that binding is gone, is not enforced", async () => {
  await removePolicy();
  const unlabelled = { matchExpressions: [{ key: "sync-trigger.internal/component", operator: "DoesNotExist" }] };
  await installPolicy("sync-trigger-clone-only", isClone, unlabelled);
  await until("the label to lead around it", async () => {
    // In this order: what lets that one through cannot be the policy that is still going, so what denies this one is new.
    const [around, plain] = [await tried("dev.local/none:1", labelled), await tried("dev.local/none:1", altered)];
    return plain.includes("sync-trigger-clone-only") && !around.includes("sync-trigger-clone-only");
  });
  const fn = await start({ REQUIRE_POLICY: "true" });
  expect((await trigger(fn)).status).toBe(503);
  const { policy, message } = fn.log.find(({ msg }) => msg === "clone-only policy") ?? {};
  expect([policy, message]).toEqual([
    "not enforced",
    expect.stringContaining("the label sync-trigger.internal/component"),
  ]);
  expect(await metric(fn)).toBe("0");
});

test("policies about images beside ours hide nothing", async () => {
  await removePolicy();
  for (const name of [...imagePolicies, "sync-trigger-clone-only"]) {
    const aboutImages = "object.spec.template.spec.containers.all(container, container.image.startsWith('dev.local/'))";
    await installPolicy(name, name === "sync-trigger-clone-only" ? isClone : aboutImages);
  }
  await until("ours to be in force", async () =>
    (await tried("dev.local/none:1", altered)).includes("sync-trigger-clone-only"),
  );
  await until("the others to be in force", async () =>
    (await tried(strangeImage, { annotations: { "example.com/kept": "yes" } })).includes("'images-"),
  );
  for (let count = 0; count < 5; count += 1) {
    const fn = await start({ REQUIRE_POLICY: "true" });
    await until("a trigger", async () => (await trigger(fn)).status === 200);
    expect([finding(fn), await metric(fn)]).toEqual(["enforced", "1"]);
  }
});
