import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { requestInCluster } from "../cluster/cluster-http.ts";
import { api } from "./support/cluster.ts";
import { schedulePatch } from "./support/copy-overlay.ts";
import { type Installation, install } from "./support/install.ts";
import { trigger } from "./support/jobs.ts";
import { removeAfterwards } from "./support/keep-on-failure.ts";
import { functionContainer, listLivePods, untilZero } from "./support/pods.ts";
import { syncCronJob } from "./support/sync-cronjob.ts";

/** What components/monitoring tells Prometheus to do. */
const [endpoint] = parse(readFileSync("manifests/components/monitoring/pod-monitor.yaml", "utf8")).spec
  .podMetricsEndpoints as { port: string; path: string }[];

let kraken: Installation;
beforeAll(async () => {
  const cronJob = syncCronJob({ isIdle: true });
  kraken = await install({ overlay: "kraken", what: "scrape", cronJob, patches: [schedulePatch("0 0 29 2 *")] });
});
removeAfterwards(() => [kraken]);

type Container = { name: string; ports?: { name: string; containerPort: number }[] };
type ScrapedPod = { spec: { containers: Container[] }; status: { podIP: string } };

/** Where the PodMonitor's port of a pod is. */
async function metricsUrl(pod: string): Promise<string> {
  const path = `/api/v1/namespaces/${kraken.namespace}/pods/${pod}`;
  const { spec, status } = (await api.expect("GET", path)) as unknown as ScrapedPod;
  const container = spec.containers.find(({ name }) => name === functionContainer);
  const port = container?.ports?.find(({ name }) => name === endpoint?.port)?.containerPort;
  return `http://${status.podIP}:${port}${endpoint?.path}`;
}

test("a pod that is scraped all the time tells what it did, and the revision goes to zero all the same", async () => {
  expect((await trigger(kraken)).outcome).toBe("created");
  const [pod] = await listLivePods(kraken.namespace);
  const url = await metricsUrl(pod?.metadata.name ?? "");
  const scrapes: string[] = [];
  let isZero = false;
  const scraping = (async () => {
    while (!isZero) {
      const answer = await requestInCluster(url, { timeoutMs: 5_000 }).catch(() => undefined); // it may be gone by now
      if (answer?.status === 200) scrapes.push(answer.body);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  })();
  await untilZero(kraken.namespace).finally(() => {
    isZero = true;
  });
  await scraping;
  expect(scrapes.length).toBeGreaterThan(10);
  for (const text of scrapes) expect(text).toContain('outcome="created",code="200"} 1');
});
