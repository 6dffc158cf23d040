import { setTimeout as pause } from "node:timers/promises";
import {
  containerNames,
  defaultContainer,
  hasPodEnded,
  hasStarted,
  statusesOf,
  waitingReason,
} from "../core/containers.ts";
import { jobState } from "../core/job-state.ts";
import { parseStampNs } from "../core/log-stamp.ts";
import { endOf, type Pod } from "../core/workload.ts";
import { Fault } from "../errors.ts";
import type { Cluster } from "../kubernetes/cluster.ts";
import type { LogPosition, LogRequest } from "./log-request.ts";
import { readPodLog } from "./read-pod-log.ts";
import type { Run } from "./read-run.ts";

/** What a log is read from and how. */
export type LogSource = {
  cluster: Pick<Cluster, "readLog">;
  /** The Job and its pods as they are now. */
  readRun(signal: AbortSignal): Promise<Run>;
  request: LogRequest;
  limitBytes: number;
  /** Ends the log: the client left, the time is over, or we are ending. */
  signal: AbortSignal;
};

const pauseMs = 1_000;
const lineFeed = 0x0a;

/**
 * The log of a Job: that of its pods in order of creation, each behind a line that names it where there are several.
 * Follows pods to come until the Job has ended. `position` tells at any time how far it is. Throws a Fault.
 */
export async function* streamLog(source: LogSource, position: LogPosition): AsyncGenerator<Buffer, void> {
  const { cluster, request, signal } = source;
  const follow = request.follow === true;
  let run = await source.readRun(signal);
  const container = chooseContainer(run, request.container);
  const passed = podsToPass(run.pods, request, container);
  let spareBytes = source.limitBytes;
  let isMidLine = false;
  let hasSeveralPods = false;

  /** The run as it is now, or as it was while the API server does not answer: a follower has time. */
  async function look(): Promise<Run> {
    return source.readRun(signal).catch((error) => {
      signal.throwIfAborted();
      if (error instanceof Fault && error.code === "api-unavailable") return run;
      throw error;
    });
  }

  function* give(text: Buffer): Generator<Buffer> {
    spareBytes -= text.length;
    isMidLine = text.at(-1) !== lineFeed;
    yield text;
  }

  async function* givePod(pod: Pod): AsyncGenerator<Buffer, void> {
    const { name, creationTimestamp } = pod.metadata;
    position.pod = name;
    position.stamp = undefined;
    hasSeveralPods ||= run.pods.length > 1;
    const lead = isMidLine ? "\n" : "";
    if (hasSeveralPods) yield* give(Buffer.from(`${lead}--- pod ${name}, created ${creationTimestamp} ---\n`));
    const isSinceInForce = request.pod === undefined || request.pod === name;
    const log = {
      pod,
      container,
      follow,
      tailLines: request.tailLines !== undefined && isFirst ? request.tailLines : undefined,
      afterNs: isSinceInForce && request.sinceTime !== undefined ? parseStampNs(request.sinceTime) : undefined,
      spareBytes: () => spareBytes,
      refresh: async () => {
        run = await look();
        return run.pods.find(({ metadata }) => metadata.uid === pod.metadata.uid);
      },
    };
    for await (const text of readPodLog(cluster, log, position, signal)) yield* give(text);
  }

  let isFirst = true;
  for (;;) {
    const next = run.pods.find(({ metadata }) => !passed.has(metadata.uid));
    const status = next && statusesOf(next).find(({ name }) => name === container);
    if (next && status && hasStarted(status)) {
      yield* givePod(next);
      isFirst = false;
      passed.add(next.metadata.uid);
      continue;
    }
    if (next && hasPodEnded(next)) {
      passed.add(next.metadata.uid); // it ended before this container started
      continue;
    }
    const isOver = follow ? !next && endOf(run.job) !== undefined : true;
    if (isOver && isFirst) throw noLog(run, next, container);
    if (isOver) return;
    await pause(pauseMs, undefined, { signal });
    run = await look();
  }
}

/** The container to read. Throws 422 naming those there are. */
function chooseContainer({ job, pods }: Run, wanted: string | undefined): string {
  const source = pods.at(-1) ?? job;
  const names = containerNames(source);
  if (wanted === undefined) return defaultContainer(source);
  if (names.includes(wanted)) return wanted;
  throw new Fault("invalid-field", `query: container: no such container of this Job; it has ${names.join(", ")}`);
}

/** The uids of the pods that are not asked for: those before `pod`, or before the newest with a log where a tail is. */
function podsToPass(pods: Pod[], { pod, tailLines }: LogRequest, container: string): Set<string> {
  let from = 0;
  if (pod !== undefined) {
    from = pods.findIndex(({ metadata }) => metadata.name === pod);
    const names = pods.map(({ metadata }) => metadata.name).join(", ") || "none yet";
    if (from === -1) throw new Fault("invalid-field", `query: pod: no such pod of this Job; it has ${names}`);
  } else if (tailLines !== undefined) {
    const hasLog = (of: Pod) => statusesOf(of).some((status) => status.name === container && hasStarted(status));
    from = Math.max(0, pods.findLastIndex(hasLog));
  }
  return new Set(pods.slice(0, from).map(({ metadata }) => metadata.uid));
}

function noLog({ job, pods }: Run, next: Pod | undefined, container: string): Fault {
  const { state, reason, message } = jobState(job, pods, Date.now());
  const waits = next && waitingReason(next, container);
  const why = [waits?.reason ?? reason, waits?.message ?? message].filter(Boolean).join(": ");
  const detail = `Job ${job.metadata.name} is ${state} and has no log${why ? ` (${why})` : ""}`;
  return new Fault("no-log-yet", detail, { headers: { "Retry-After": "1" } });
}
