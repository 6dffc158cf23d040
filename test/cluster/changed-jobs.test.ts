// components/clone-only beside something that changes Jobs when they are created, as GKE Autopilot or a mesh may.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type FunctionProcess, startFunction } from "../support/function-process.ts";
import { type Installation, install } from "../support/installation.ts";
import { kubectl } from "../support/kubectl.ts";
import { openTarget, type Target } from "../support/target.ts";
import { until } from "../support/until.ts";
import { richCronJob } from "./job-alterations.ts";

const admission = "/apis/admissionregistration.k8s.io/v1";
const kinds = await kubectl("api-resources", "--api-group=admissionregistration.k8s.io", "--no-headers");
/** v1 since Kubernetes 1.36. */
const canMutate = /\badmissionregistration\.k8s\.io\/v1 .* MutatingAdmissionPolicy$/m.test(kinds);

const cronJobName = "nightly";
let target: Target;
let namespace: string;
let installation: Installation;
let running: FunctionProcess;

beforeAll(async () => {
  if (!canMutate) return;
  target = await openTarget("changed-jobs");
  namespace = await target.createNamespace("changed jobs");
  await target.seedCronJob(namespace, { ...richCronJob, metadata: { name: cronJobName } });
  installation = await install({ resources: ["rights"], components: ["clone-only"], namespace, cronJobName });
  running = await startFunction({ KUBECONFIG: installation.kubeconfig, CRONJOB_NAME: cronJobName });
});
afterAll(async () => {
  if (!canMutate) return;
  await running?.stop();
  for (const kind of ["mutatingadmissionpolicybindings", "mutatingadmissionpolicies"]) {
    await target.api.call("DELETE", `${admission}/${kind}/grace.${namespace}`);
  }
  await installation?.remove();
  await target?.close();
});

/** Sets a value in the pod template of each Job of our namespace. */
async function installMutation(): Promise<void> {
  const name = `grace.${namespace}`;
  const definition = { apiVersion: "admissionregistration.k8s.io/v1", metadata: { name } };
  const jobs = { apiGroups: ["batch"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["jobs"] };
  const set = "Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{";
  const applyConfiguration = { expression: `${set}terminationGracePeriodSeconds: 7}}}}` };
  const namespaceSelector = { matchLabels: { "kubernetes.io/metadata.name": namespace } };
  await target.api.expect("POST", `${admission}/mutatingadmissionpolicies`, {
    ...definition,
    kind: "MutatingAdmissionPolicy",
    spec: {
      reinvocationPolicy: "Never",
      matchConstraints: { resourceRules: [jobs] },
      mutations: [{ patchType: "ApplyConfiguration", applyConfiguration }],
    },
  });
  await target.api.expect("POST", `${admission}/mutatingadmissionpolicybindings`, {
    ...definition,
    kind: "MutatingAdmissionPolicyBinding",
    spec: { policyName: name, matchResources: { namespaceSelector } },
  });
}

const trigger = async () => {
  const answer = await fetch(`${running.url}/trigger-sync`, { method: "POST" });
  return { status: answer.status, text: await answer.text() };
};

test.skipIf(!canMutate)(
  "triggers are a 502 that names the policy, until the template has the value itself",
  async () => {
    expect((await trigger()).status).toBe(200);
    await installMutation();
    const { text } = await until("a refusal", async () => {
      const answer = await trigger();
      return answer.status !== 200 && answer;
    });
    expect(JSON.parse(text)).toMatchObject({
      status: 502,
      detail: expect.stringContaining(`ValidatingAdmissionPolicy 'sync-trigger-clone-only.${namespace}'`),
    });

    const path = `/apis/batch/v1/namespaces/${namespace}/cronjobs/${cronJobName}`;
    const patch = { spec: { jobTemplate: { spec: { template: { spec: { terminationGracePeriodSeconds: 7 } } } } } };
    await target.api.expect("PATCH", path, patch, { "content-type": "application/merge-patch+json" });
    await until("the template to be the one that counts", async () => (await trigger()).status === 200);
  },
);
