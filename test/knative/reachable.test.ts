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
beforeAll(async () => {
  kraken = await install({ overlay: "kraken", what: "reachable", patches: [withoutPage] });
});
removeAfterwards(() => [kraken]);

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
  const hosts = [
    openHost.replace(/^open\b/, "sync-trigger"),
    `sync-trigger.${namespace}.svc.cluster.local`,
    `sync-trigger.${namespace}.svc`,
    `sync-trigger.${namespace}`,
    "sync-trigger",
  ];
  const answers = await Promise.all(hosts.map(async (host) => [host, await statusAt(host)]));
  expect(answers).toEqual(hosts.map((host) => [host, 404]));
});

test("nothing of ours is an Ingress, a LoadBalancer or a NodePort, or lies open on the node", async () => {
  const { namespace } = kraken;
  expect(await list(`/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`)).toEqual([]);
  const services = await list<{ spec: { type: string } }>(`/api/v1/namespaces/${namespace}/services`);
  expect(services.length).toBeGreaterThan(0);
  expect(services.filter(({ spec }) => !["ClusterIP", "ExternalName"].includes(spec.type))).toEqual([]);

  type Rule = { visibility: string };
  type KnativeIngress = { metadata: { name: string }; spec: { rules: Rule[] } };
  const path = `/apis/networking.internal.knative.dev/v1alpha1/namespaces/${namespace}/ingresses`;
  const ingress = (await list<KnativeIngress>(path)).find(({ metadata }) => metadata.name === "sync-trigger");
  expect([...new Set(ingress?.spec.rules.map(({ visibility }) => visibility))]).toEqual(["ClusterLocal"]);

  type Pod = { spec: { hostNetwork?: boolean; containers: { name: string; ports?: { hostPort?: number }[] }[] } };
  const pods = await list<Pod>(`/api/v1/namespaces/${namespace}/pods`);
  const ours = pods.filter(({ spec }) => spec.containers.some(({ name }) => name === functionContainer));
  expect(ours.length).toBeGreaterThan(0);
  expect(ours.filter(({ spec }) => spec.hostNetwork)).toEqual([]);
  const ports = ours.flatMap(({ spec }) => spec.containers.flatMap((container) => container.ports ?? []));
  expect(ports.filter(({ hostPort }) => hostPort !== undefined)).toEqual([]);
});
