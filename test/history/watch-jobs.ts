import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { hasEnded } from "../../functions/core/decide.ts";
import { readAnnotation } from "../../functions/core/job-from-cronjob.ts";
import { isJsonObject, type JsonObject } from "../../functions/core/json.ts";
import { readWatch } from "../../functions/kubernetes/read-watch.ts";
import { listJobs } from "../support/jobs.ts";
import type { KubeApi } from "../support/kube-api.ts";
import { until } from "../support/until.ts";
import type { JobSeen, Recorder } from "./history.ts";

/** A watch on every Job of a namespace from its beginning. */
export type JobWatch = {
  /** Waits until all that the API server has is seen, and ends the watch; rejects when the watch missed something. */
  close(): Promise<void>;
};

const pauseMs = 50;

/** Records every Job of a namespace that appears, changes and goes; `onJob` hears of each. */
export async function watchJobs(
  api: KubeApi,
  namespace: string,
  { recorder, onJob }: { recorder: Recorder; onJob: (job: JobSeen) => void },
): Promise<JobWatch> {
  const path = `/apis/batch/v1/namespaces/${namespace}/jobs`;
  const there = new Map<string, JobSeen>();
  const ending = new AbortController();
  let revision = await relist();
  const running = run();

  function see(object: JsonObject, change: JobSeen["change"]): void {
    const seen = toJobSeen(object, change);
    if (change === "deleted") there.delete(seen.uid);
    else there.set(seen.uid, seen);
    recorder.record(seen);
    onJob(seen);
  }

  /** What is there now; gives the revision to watch from. */
  async function relist(): Promise<string> {
    const list = await api.expect("GET", path);
    const items = (list.items as JsonObject[]).map((item) => toJobSeen(item, "listed"));
    for (const seen of items) {
      const before = there.get(seen.uid);
      there.set(seen.uid, seen);
      if (before?.revision === seen.revision) continue;
      recorder.record(before ? { ...seen, change: "modified" } : seen);
      onJob(seen);
    }
    const listRevision = (list.metadata as { resourceVersion: string }).resourceVersion;
    for (const gone of [...there.values()].filter(({ uid }) => !items.some((item) => item.uid === uid))) {
      there.delete(gone.uid);
      recorder.record({ ...gone, change: "vanished", atMs: Date.now(), revision: Number(listRevision) });
    }
    return listRevision;
  }

  async function run(): Promise<void> {
    while (!ending.signal.aborted) {
      try {
        const query = `watch=true&allowWatchBookmarks=true&resourceVersion=${revision}`;
        for await (const { type, object } of readWatch(await open(api, `${path}?${query}`, ending.signal))) {
          if (type === "ERROR") throw new Gone(String(object.message));
          revision = String((object.metadata as JsonObject).resourceVersion);
          const change = ({ ADDED: "added", MODIFIED: "modified", DELETED: "deleted" } as const)[type];
          if (change) see(object, change);
        }
      } catch (error) {
        if (error instanceof Gone) revision = await relist().catch(() => revision);
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  return {
    async close() {
      await until("the watch to have seen every Job", async () => {
        const jobs = await listJobs(api, namespace);
        return jobs.length === there.size && jobs.every((job) => there.has(toJobSeen(job, "listed").uid));
      });
      ending.abort();
      await running;
    },
  };
}

/** The revision is too old to be watched from: what happened since must be listed. */
class Gone extends Error {}

async function open(api: KubeApi, path: string, signal: AbortSignal): Promise<IncomingMessage> {
  const { server, options } = await api.connection();
  const send = server.protocol === "https:" ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const outgoing = send(new URL(path, server), { ...options, signal }, (answer) => {
      if (answer.statusCode === 200) return resolve(answer);
      answer.resume();
      reject(answer.statusCode === 410 ? new Gone() : new Error(`a watch was answered ${answer.statusCode}`));
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

function toJobSeen(object: JsonObject, change: JobSeen["change"]): JobSeen {
  const metadata = isJsonObject(object.metadata) ? object.metadata : {};
  return {
    ...{ kind: "job", atMs: Date.now(), change, revision: Number(metadata.resourceVersion) },
    ...{ name: String(metadata.name), uid: String(metadata.uid), keyDigest: readAnnotation(object, "keyDigest") },
    ...{ createdAtMs: Date.parse(String(metadata.creationTimestamp)), hasEnded: hasEnded(object) },
  };
}
