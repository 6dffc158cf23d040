import { SETTINGS } from "../../../functions/config.ts";
import { requestInCluster } from "../../cluster/cluster-http.ts";
import { kubectl } from "../../support/kubectl.ts";
import { api, list } from "./cluster.ts";
import { eventually } from "./eventually.ts";

/** A pod, as far as the tests look at it. */
export type Pod = {
  metadata: { name: string; uid: string; deletionTimestamp?: string; labels: Record<string, string> };
  spec: { containers: { name: string; securityContext?: { readOnlyRootFilesystem?: boolean } }[] };
  status: {
    phase: string;
    podIP?: string;
    containerStatuses?: { name: string; containerID?: string; ready: boolean; restartCount: number }[];
  };
};

/** The container that is the function, on Knative and in overlays/plain-kubernetes. */
export const functionContainer = "user-container";

/** Every pod of the function, those that are ending included. */
export async function listFunctionPods(namespace: string): Promise<Pod[]> {
  const pods = await list<Pod>(`/api/v1/namespaces/${namespace}/pods`);
  const isFunction = ({ spec }: Pod) => spec.containers.some(({ name }) => name === functionContainer);
  return pods.filter(isFunction);
}

/** The function's pods that are not ending: Knative's drain keeps those for half a minute more. */
export async function listLivePods(namespace: string): Promise<Pod[]> {
  return (await listFunctionPods(namespace)).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

type Deployment = { metadata: { name: string }; spec: { replicas: number } };

/** Waits until Knative has scaled every revision of the function to zero. */
export async function untilZero(namespace: string): Promise<void> {
  const look = async () => {
    // The settings page has a Deployment of its own.
    const ofRevisions = encodeURIComponent("serving.knative.dev/service=sync-trigger");
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments?labelSelector=${ofRevisions}`;
    const deployments = await list<Deployment>(path);
    const isZero = deployments.length > 0 && deployments.every(({ spec }) => spec.replicas === 0);
    return isZero && (await listLivePods(namespace)).length === 0;
  };
  await eventually(`no pods of the function in ${namespace}`, look, 180_000);
}

/** Calls the function until one of its pods is ready, and gives that pod, which then has some seconds to live. */
export async function wake({ namespace, url }: { namespace: string; url: string }): Promise<Pod> {
  const isReady = ({ status }: Pod) => status.containerStatuses?.every(({ ready }) => ready);
  return eventually(`a pod of the function in ${namespace}`, async () => {
    await requestInCluster(`${url}/health/liveness`);
    return (await listLivePods(namespace)).find(isReady);
  });
}

/** Whether nothing answers any more where the pod's function listened. */
export async function isSilent({ status: { podIP } }: Pod): Promise<boolean> {
  const url = `http://${podIP}:${SETTINGS.PORT?.fallback}/health/liveness`;
  return requestInCluster(url, { timeoutMs: 2_000 }).then(
    () => false,
    () => true,
  );
}

type LogLine = Record<string, unknown>;

/** What the function has logged, of all its pods that are still there, a parsed line each. */
export async function readFunctionLog(namespace: string): Promise<LogLine[]> {
  const pods = await listFunctionPods(namespace);
  const texts = pods.map(async ({ metadata }) => {
    const path = `/api/v1/namespaces/${namespace}/pods/${metadata.name}/log?container=${functionContainer}`;
    return (await api.call("GET", path)).text;
  });
  const lines = (await Promise.all(texts)).flatMap((text) => text.split("\n"));
  return lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as LogLine);
}

/** Runs a line of JavaScript in the function's container and gives what it prints. */
export async function runInFunction(namespace: string, pod: Pod, script: string): Promise<string> {
  const command = ["exec", pod.metadata.name, "--container", functionContainer, "--", "node", "-e", script];
  return kubectl("--namespace", namespace, ...command);
}
