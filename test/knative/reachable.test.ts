import { beforeAll, expect, test } from "vitest";
import { requestInCluster } from "../cluster/cluster-http.ts";
import { api, list, untilCondition } from "./support/cluster.ts";
import { withoutPage } from "./support/copy-overlay.ts";
import { type Installation, install } from "./support/install.ts";
import { removeAfterwards } from "./support/keep-on-failure.ts";
import { functionContainer, wake } from "./support/pods.ts";

/** Kourier's gateway for callers outside the cluster; another one's by TEST_EXTERNAL_GATEWAY. */
const gateway = process.env.TEST_EXTERNAL_GATEWAY ?? "http://kourier.kourier-system.svc.cluster.local";

let kraken: Installation;
let plain: Installation;
beforeAll(async () => {
  [kraken, plain] = await Promise.all([
    install({ overlay: "kraken", what: "reachable", patches: [withoutPage] }),
    install({ overlay: "plain-kubernetes", what: "reachable-plain" }),
  ]);
});
removeAfterwards(() => [kraken, plain]);

const statusAt = async (host: string) =>
  (await requestInCluster(`${gateway}/health/liveness`, { headers: { host } })).status;

test("the external gateway answers 404 for every host of ours, and 200 for a Service that is not cluster-local", async () => {
  const { namespace } = kraken;
  const path = `/apis/serving.knative.dev/v1/namespaces/${namespace}/services`;
  const [shipped] = await list<{ spec: { template: object } }>(path);
  await api.expect("POST", path, {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { name: "open" },
    spec: { template: shipped?.spec.template },
  });
  await untilCondition(`${path}/open`, "Ready");
  const { status } = (await api.expect("GET", `${path}/open`)) as { status: { url: string } };
  const { host: openHost } = new URL(status.url);
  expect(openHost, "the control is not cluster-local").not.toContain("svc.cluster.local");
  expect(await statusAt(openHost)).toBe(200);

  await wake(kraken);
  const hosts = [openHost.replace(/^open\b/, "sync-trigger"), ...namesIn(namespace), ...namesIn(plain.namespace)];
  const answers = await Promise.all(hosts.map(async (host) => [host, await statusAt(host)]));
  expect(answers).toEqual(hosts.map((host) => [host, 404]));
});

/** What the Service of an installation is called from near and far. */
const namesIn = (namespace: string) =>
  [".svc.cluster.local", ".svc", ""].map((end) => `sync-trigger.${namespace}${end}`);

type PodSpec = { hostNetwork?: boolean; containers: { name: string; ports?: { hostPort?: number }[] }[] };
type KubeService = { spec: { type: string; externalIPs?: string[]; ports: { nodePort?: number }[] } };

const overlays = [
  // Knative names the gateway by a Service of type ExternalName.
  { overlay: "kraken", find: () => kraken, types: ["ClusterIP", "ExternalName"] },
  { overlay: "plain-kubernetes", find: () => plain, types: ["ClusterIP"] },
];

test.each(overlays)(
  "overlays/$overlay: no Ingress, LoadBalancer, NodePort or port of the node",
  async ({ find, types }) => {
    const { namespace } = find();
    expect(await list(`/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`)).toEqual([]);
    const services = (await list<KubeService>(`/api/v1/namespaces/${namespace}/services`)).map(({ spec }) => spec);
    expect([...new Set(services.map(({ type }) => type))].sort()).toEqual(types);
    expect(services.flatMap(({ externalIPs = [] }) => externalIPs)).toEqual([]);
    expect(services.flatMap(({ ports }) => ports.flatMap(({ nodePort }) => nodePort ?? []))).toEqual([]);

    const pods = await list<{ spec: PodSpec }>(`/api/v1/namespaces/${namespace}/pods`);
    expect(pods.flatMap(({ spec }) => spec.containers.map(({ name }) => name))).toContain(functionContainer);
    // The page's pods are not started here: its Deployment says what they would be.
    const deployments = await list<{ spec: { template: { spec: PodSpec } } }>(
      `/apis/apps/v1/namespaces/${namespace}/deployments`,
    );
    const specs = [...pods, ...deployments.map(({ spec }) => spec.template)].map(({ spec }) => spec);
    expect(specs.filter(({ hostNetwork }) => hostNetwork)).toEqual([]);
    const ports = specs.flatMap(({ containers }) => containers.flatMap((container) => container.ports ?? []));
    expect(ports.filter(({ hostPort }) => hostPort !== undefined)).toEqual([]);
  },
);

test("Knative's own Ingress of the function is for the cluster alone", async () => {
  type KnativeIngress = { metadata: { name: string }; spec: { rules: { visibility: string }[] } };
  const path = `/apis/networking.internal.knative.dev/v1alpha1/namespaces/${kraken.namespace}/ingresses`;
  const ingress = (await list<KnativeIngress>(path)).find(({ metadata }) => metadata.name === "sync-trigger");
  expect([...new Set(ingress?.spec.rules.map(({ visibility }) => visibility))]).toEqual(["ClusterLocal"]);
});
