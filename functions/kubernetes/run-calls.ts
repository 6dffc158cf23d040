import { parseJson } from "../core/json.ts";
import type { CallOptions, Cluster, LogQuery } from "./cluster.ts";
import { readObject, reportNoAnswer } from "./read-answer.ts";
import { readWatch } from "./read-watch.ts";
import { retryRead } from "./retry-read.ts";
import { type OpenRequest, readWhole, type Transport } from "./transport.ts";

/** The calls of the Jobs API: manifests/components/jobs-api grants them all. */
type RunCalls = Pick<Cluster, "listJobs" | "watchJob" | "listPods" | "readLog">;

/** A page of Jobs or all pods of one: objects are some kilobytes each, in rare cases more. */
const listLimitBytes = 32 * 1024 * 1024;

/** These calls over a transport. `timeoutMs` bounds each request, of a stream its beginning. */
export function createRunCalls(
  transport: Transport,
  { namespace, timeoutMs }: { namespace: string; timeoutMs: number },
): RunCalls {
  const jobs = `/apis/batch/v1/namespaces/${encodeURIComponent(namespace)}/jobs`;
  const pods = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;

  const list = (name: keyof RunCalls, path: string, { signal }: CallOptions) =>
    retryRead(async () => {
      const request = { method: "GET", path, timeoutMs, signal, answerLimitBytes: listLimitBytes } as const;
      return readObject(name, await transport.send(request).catch(reportNoAnswer(name)), parseJson);
    }, signal);

  /** Opens a stream; an answer other than 200 is read whole and thrown. */
  async function open(name: keyof RunCalls, request: OpenRequest) {
    const answer = await transport.open(request).catch(reportNoAnswer(name));
    if (answer.status === 200) return answer.stream;
    const body = await readWhole(answer.stream).catch(reportNoAnswer(name));
    readObject(name, { ...answer, status: answer.status < 300 ? 0 : answer.status, body });
    throw new Error("unreachable: an answer other than 2xx is thrown");
  }

  return {
    listJobs: ({ limit, after }, options) =>
      list("listJobs", `${jobs}?${toQuery({ limit, continue: after })}`, options),
    listPods: (labels, options) => {
      const labelSelector = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
      return list("listPods", `${pods}?${toQuery({ labelSelector: labelSelector.join(",") })}`, options);
    },
    async watchJob(name, { resourceVersion, timeoutS }, { signal }) {
      const fieldSelector = `metadata.name=${name}`;
      const query = toQuery({ watch: true, fieldSelector, resourceVersion, timeoutSeconds: timeoutS });
      return readWatch(await open("watchJob", { path: `${jobs}?${query}`, timeoutMs, signal }));
    },
    readLog: (pod, query, { signal }) => {
      const path = `${pods}/${encodeURIComponent(pod)}/log?${toQuery({ ...query, timestamps: true })}`;
      // A followed log has no answer, not even a status, before its container writes the first line.
      const request = { path, signal, ...(query.follow ? {} : { timeoutMs }) };
      return retryRead(() => open("readLog", request), signal);
    },
  };
}

function toQuery(parameters: LogQuery | Record<string, string | number | boolean | undefined>): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, String(value));
  return query;
}
