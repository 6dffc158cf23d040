import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import type { Job, Pod } from "./api/objects.ts";
import type { PodLogs } from "./api/pod-log.ts";
import type { Reply } from "./api/reply.ts";
import { JOBS } from "./api/resources.ts";
import type { Store } from "./api/store.ts";
import { finishedAs } from "./controllers/conditions.ts";
import { podsOf } from "./controllers/job-pods.ts";

interface Context {
  store: Store;
  logs: PodLogs;
}

/** What answers GET /logs/latest: the log of the newest Job as text, while it is made, with a line before and after it. */
export function createLatestLog(context: Context): () => Reply {
  let newest: Job | undefined;
  // The time of creation has whole seconds only: two Jobs of one second would be in no order.
  context.store.subscribe(({ type, resource, object }) => {
    if (type === "ADDED" && resource === JOBS) newest = object as Job;
  });
  return () => {
    const job = newest;
    if (!job) return { status: 404, text: "no Job yet\n" };
    return {
      stream: async (response) => {
        response.writeHead(200, { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" });
        await follow(context, job, response).catch(() => response.destroy());
      },
    };
  };
}

async function follow({ store, logs }: Context, job: Job, response: ServerResponse): Promise<void> {
  const { name, namespace } = job.metadata;
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  response.write(`# Job ${name} in namespace ${namespace}\n`);
  const current = () => {
    const now = store.get(JOBS, namespace, name);
    return now?.metadata.uid === job.metadata.uid ? now : undefined;
  };
  const read = new Set<string>();
  for (;;) {
    const now = current();
    const pod = podsOf(store, now ?? job).find((each) => hasStarted(each) && !read.has(each.metadata.uid));
    if (pod) {
      if (read.size > 0) response.write(`# pod ${pod.metadata.name}\n`);
      read.add(pod.metadata.uid);
      const log = logs.read(pod, { follow: true, timestamps: false });
      await pipeline(log, response, { end: false, signal: gone.signal });
      continue;
    }
    const how = now ? finishedAs(now) : "Deleted";
    if (how) {
      response.end(`# ${how}\n`);
      return;
    }
    await nextChange(store, gone.signal);
  }
}

const hasStarted = ({ status }: Pod) =>
  status.containerStatuses?.some(({ state }) => state.running ?? state.terminated) === true;

async function nextChange(store: Store, signal: AbortSignal): Promise<void> {
  const target = new EventTarget();
  const unsubscribe = store.subscribe(() => target.dispatchEvent(new Event("change")));
  try {
    await once(target, "change", { signal });
  } finally {
    unsubscribe();
  }
}
