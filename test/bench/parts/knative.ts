import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { parse } from "yaml";
import { requestInCluster } from "../../cluster/cluster-http.ts";
import { imageOf } from "../../cluster/knative/images.ts";
import { api, untilCondition } from "../../knative/support/cluster.ts";
import { eventually } from "../../knative/support/eventually.ts";
import { listFunctionPods, untilZero } from "../../knative/support/pods.ts";
import { countApiRequests } from "../api-requests.ts";
import { inTurn } from "../in-turn.ts";
import { type Measured, percentile } from "../results.ts";
import { createRows } from "../rows.ts";
import type { Stage } from "../stage.ts";

const serving = "/apis/serving.knative.dev/v1";
const events = 30;
/** Between two events to the same address: JobSink's client may ask the API server 5 times a second, and asks thrice. */
const betweenEventsMs = 800;

type Service = {
  metadata: { name: string };
  spec: { template: { spec: { containers: { image: string; imagePullPolicy: string }[] } } };
};

/** On real Knative: an answer from zero pods beside that of a trivial Go service, and events beside JobSink. */
export async function measureKnative(image: string, stage: Stage, rounds: number): Promise<Measured[]> {
  await install(image, stage);
  const host = (name: string) => `http://${name}.${stage.namespace}.svc.cluster.local`;
  const calls = {
    "sync-trigger": () => requestInCluster(`${host("sync-trigger")}/trigger-sync`, { method: "POST" }),
    "trivial Go service": () => requestInCluster(`${host("hello")}/`),
  };
  const cold = Object.entries(calls).map(([name, call]) => ({
    ...{ call, row: { name, metric: "answer from zero pods", unit: "ms", values: [] as number[] } },
  }));
  for (let round = 0; round < rounds; round += 1) {
    await untilZero(stage.namespace);
    // Gone, not only leaving: for some seconds a request can still reach a pod that is being drained.
    await eventually(
      "drained pods to be gone",
      async () => (await listFunctionPods(stage.namespace)).length === 0,
      180_000,
    );
    for (const { call, row } of round % 2 === 0 ? cold : cold.toReversed()) row.values.push(await time(call));
  }
  return [...cold.map(({ row }) => row), ...(await measureEvents(stage, host("sync-trigger")))];
}

/** One event after the other, to us and to JobSink in turns, both awake and neither held up by its own limits. */
async function measureEvents({ namespace }: Stage, own: string): Promise<Measured[]> {
  const sink = `http://job-sink.knative-eventing.svc.cluster.local/${namespace}/peer`;
  const peers = [
    { name: "sync-trigger", url: `${own}/`, countCalls: () => countOwnCalls(own) },
    // At least so many: what it reads by name cannot be told from what the garbage collector does.
    { name: "JobSink", url: sink, countCalls: () => countApiRequests(/verb="(LIST|POST)"/) },
  ];
  const rows = createRows();
  const metric = "event, one at a time, awake";
  for (let round = -3; round < events; round += 1) {
    for (const { name, url, countCalls } of inTurn(peers, Math.abs(round))) {
      const callsBefore = await countCalls();
      const taken = await time(() => postEvent(url), 202);
      await pause(betweenEventsMs / 2); // what is asked for behind the answer counts too
      const calls = (await countCalls()) - callsBefore;
      if (round < 0) continue;
      rows.add(name, metric, "ms", taken);
      rows.add(name, "API requests per event", "", calls);
    }
  }
  const p90s = rows.all().filter((row) => row.metric === metric);
  return [
    ...rows.all(),
    ...p90s.map((row) => ({ ...row, metric: "event, p90", values: [percentile(row.values, 0.9)] })),
  ];
}

/** As the function counts them itself, whatever the resource; one pod of it is awake. */
async function countOwnCalls(own: string): Promise<number> {
  const { body } = await requestInCluster(`${own}/metrics`);
  const counts = [...body.matchAll(/^sync_trigger_api_requests_total\{.*\} (\d+)$/gm)];
  return counts.reduce((total, [, count]) => total + Number(count), 0);
}

function postEvent(url: string) {
  const attributes = { specversion: "1.0", id: crypto.randomUUID(), source: "/bench", type: "bench" };
  const headers = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`ce-${name}`, value]));
  return requestInCluster(url, { method: "POST", headers });
}

async function time(call: () => ReturnType<typeof requestInCluster>, expected = 200): Promise<number> {
  const startedAtMs = performance.now();
  const { status, body } = await call();
  if (status !== expected) throw new Error(`answered ${status}: ${body.slice(0, 300)}`);
  return performance.now() - startedAtMs;
}

/** Our Service as manifests/base has it, the trivial one with the same probes and requests, and a JobSink. */
async function install(image: string, { namespace, jobSpec }: Stage): Promise<void> {
  const own = parse(readFileSync("manifests/base/service.yaml", "utf8")) as Service;
  const { containers } = own.spec.template.spec;
  const withImage = (name: string) => containers.map((container) => ({ ...container, image: name }));
  const hello = structuredClone(own) as Service & { spec: { template: { spec: { serviceAccountName?: string } } } };
  hello.metadata.name = "hello";
  hello.spec.template.spec.containers = withImage(imageOf("hello"));
  own.spec.template.spec.containers = withImage(image);
  const settings = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "sync-trigger" },
    data: { CRONJOB_NAME: "sync" },
  };
  await api.expect("POST", `/api/v1/namespaces/${namespace}/configmaps`, settings);
  for (const service of [own, hello]) {
    await api.expect("POST", `${serving}/namespaces/${namespace}/services`, service);
    await untilCondition(`${serving}/namespaces/${namespace}/services/${service.metadata.name}`, "Ready");
  }
  const sinks = `/apis/sinks.knative.dev/v1alpha1/namespaces/${namespace}/jobsinks`;
  await api.expect("POST", sinks, {
    apiVersion: "sinks.knative.dev/v1alpha1",
    kind: "JobSink",
    metadata: { name: "peer" },
    spec: { job: { spec: jobSpec } },
  });
  await untilCondition(`${sinks}/peer`, "Ready");
}
