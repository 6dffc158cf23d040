// Proves that Knative works; runs inside the network namespace. A request wakes a Service from zero pods, and an event
// goes through a Broker and a Trigger to it.
import { requestInCluster } from "./cluster-http.ts";
import { imageOf } from "./knative/images.ts";
import { runProgram } from "./machine/command.ts";
import { say } from "./machine/say.ts";
import { waitFor } from "./machine/wait.ts";
import { kubectl } from "./netns.ts";

const namespace = "knative-smoke";

const inNamespace = (...args: string[]): Promise<string> => kubectl(["--namespace", namespace, ...args]);

const manifests = [
  { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
  {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { name: "hello", namespace, labels: { "networking.knative.dev/visibility": "cluster-local" } },
    spec: { template: { spec: { containers: [{ image: imageOf("hello") }] } } },
  },
  { apiVersion: "eventing.knative.dev/v1", kind: "Broker", metadata: { name: "default", namespace } },
  {
    apiVersion: "eventing.knative.dev/v1",
    kind: "Trigger",
    metadata: { name: "hello", namespace },
    spec: {
      broker: "default",
      subscriber: { ref: { apiVersion: "serving.knative.dev/v1", kind: "Service", name: "hello" } },
    },
  },
];

async function waitForReady(resource: string): Promise<void> {
  const jsonPath = '{.status.conditions[?(@.type=="Ready")].status} {.status.conditions[?(@.status!="True")].message}';
  await waitFor({ what: `${resource} to be Ready`, timeoutMs: 120_000, everyMs: 300 }, async () => {
    const status = await inNamespace("get", resource, `--output=jsonpath=${jsonPath}`);
    if (!status.startsWith("True")) throw new Error(status);
    return true;
  });
}

async function wakeFromZero(): Promise<void> {
  await waitFor({ what: "hello to scale to zero", timeoutMs: 120_000, everyMs: 500 }, async () => {
    // Not its pods: one that is being drained lies there for half a minute more.
    const replicas = await inNamespace("get", "deployments", "--output=jsonpath={.items[*].spec.replicas}");
    if (replicas !== "0") throw new Error(`replicas: ${replicas}`);
    return true;
  });
  const before = performance.now();
  const { status, body } = await requestInCluster(`http://hello.${namespace}.svc.cluster.local/`);
  if (status !== 200 || body !== "hello\n") throw new Error(`a cold request was answered ${status} ${body}`);
  say(`smoke: a cold request took ${Math.round(performance.now() - before)} ms`);
}

async function deliverEvent(): Promise<void> {
  const id = crypto.randomUUID();
  const headers = { "ce-specversion": "1.0", "ce-id": id, "ce-source": "/smoke", "ce-type": "smoke" };
  const broker = `http://broker-ingress.knative-eventing.svc.cluster.local/${namespace}/default`;
  const { status, body } = await requestInCluster(broker, { method: "POST", headers });
  if (status !== 202) throw new Error(`the Broker answered ${status} ${body}`);
  await waitFor({ what: "the event in hello's log", timeoutMs: 30_000 }, async () => {
    const selector = "--selector=serving.knative.dev/service=hello";
    return (await inNamespace("logs", selector, "--container=user-container", "--tail=-1")).includes(`event ${id}`);
  });
  say("smoke: an event went through Broker and Trigger");
}

await runProgram(async () => {
  const input = JSON.stringify({ apiVersion: "v1", kind: "List", items: manifests });
  // Not at once: a webhook's pod may be ready before kube-proxy sends anything to it.
  await waitFor({ what: "the API server to take Knative's resources", timeoutMs: 60_000, everyMs: 1000 }, () =>
    kubectl(["apply", "--filename", "-"], { input }),
  );
  for (const resource of ["ksvc/hello", "broker/default", "trigger/hello"]) await waitForReady(resource);
  await wakeFromZero();
  await deliverEvent();
  await kubectl(["delete", "namespace", namespace, "--wait=false"]);
});
