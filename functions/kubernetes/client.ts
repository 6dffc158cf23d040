import { type Json, parseJson } from "../core/json.ts";
import type { CallOptions, Cluster } from "./cluster.ts";
import { readObject, reportNoAnswer } from "./read-answer.ts";
import { retryRead } from "./retry-read.ts";
import { createRunCalls } from "./run-calls.ts";
import type { ApiRequest, Transport } from "./transport.ts";

/** The Lease of the record, in the CronJob's namespace (manifests/components/exactly-once). */
export const leaseName = "sync-trigger";

/**
 * Of a Job that was created only the metadata is read (Kubernetes API concepts, "Metadata-only fetches"): less for the API
 * server to write and for us to read. A server that does not know the form sends the whole Job.
 */
const metadataOnly = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1, application/json";

/** A Cluster over a transport. `timeoutMs` bounds each request; reads are tried up to three times. */
export function createCluster(
  transport: Transport,
  { namespace, cronJobName, timeoutMs }: { namespace: string; cronJobName: string; timeoutMs: number },
): Cluster {
  const batch = `/apis/batch/v1/namespaces/${encodeURIComponent(namespace)}`;
  const events = `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`;
  const lease = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases/${leaseName}`;

  // Makes the server drop a write when nobody waits for it any more.
  const whileWeWait = `timeout=${Math.ceil(timeoutMs / 1_000)}s`;

  async function call(
    name: keyof Cluster,
    request: Pick<ApiRequest, "method" | "path" | "body" | "accept">,
    { signal, traceparent }: CallOptions,
    parse?: (text: string) => Json,
  ) {
    const answer = await transport.send({ ...request, timeoutMs, signal, traceparent }).catch(reportNoAnswer(name));
    return readObject(name, answer, parse);
  }

  const read = (name: keyof Cluster, path: string, options: CallOptions) =>
    retryRead(() => call(name, { method: "GET", path }, options), options.signal);

  return {
    getCronJob: (options) => read("getCronJob", `${batch}/cronjobs/${encodeURIComponent(cronJobName)}`, options),
    getJob: (name, options) => read("getJob", `${batch}/jobs/${encodeURIComponent(name)}`, options),
    createJob: (job, options) => {
      const path = `${batch}/jobs?${whileWeWait}`;
      const request = { method: "POST", path, body: JSON.stringify(job), accept: metadataOnly } as const;
      return call("createJob", request, options, parseJson);
    },
    tryJob: (job, options) =>
      call("tryJob", { method: "POST", path: `${batch}/jobs?dryRun=All`, body: JSON.stringify(job) }, options),
    getLease: (options) => read("getLease", lease, options),
    updateLease: (object, options) =>
      call("updateLease", { method: "PUT", path: `${lease}?${whileWeWait}`, body: JSON.stringify(object) }, options),
    createEvent: (event, options) =>
      call("createEvent", { method: "POST", path: events, body: JSON.stringify(event) }, options),
    ...createRunCalls(transport, { namespace, timeoutMs }),
  };
}
