import { connectKubeApi } from "../support/kube-api.ts";

/** What a trigger may have to do with; Leases and the like are the cluster's own. */
const resources = /resource="(jobs|cronjobs|secrets)"/;
const ofStatus = /subresource="[^"]/; // the controllers' own

/**
 * How many requests for CronJobs, Jobs and Secrets the API server has answered since it began, by its own count. In a
 * cluster where nothing else makes Jobs the difference of two such counts is what a program asked for in between, as far
 * as the verbs are not those of controllers too: beside Knative the garbage collector reads (GET) much.
 */
export async function countApiRequests(verbs = /verb="(GET|LIST|POST)"/): Promise<number> {
  const { status, text } = await connectKubeApi(process.env.KUBECONFIG ?? "").call("GET", "/metrics");
  if (status !== 200) throw new Error(`the API server's /metrics: ${status}`);
  const counts = [...text.matchAll(/^apiserver_request_total\{(.*)\} (\S+)$/gm)];
  if (counts.length === 0) throw new Error("the API server counts no requests");
  return counts
    .filter(([, labels = ""]) => resources.test(labels) && verbs.test(labels) && !ofStatus.test(labels))
    .reduce((total, [, , count]) => total + Number(count), 0);
}
