import { setTimeout as pause } from "node:timers/promises";
import { containerNames, defaultContainer, waitingReason } from "../core/containers.ts";
import { jobState } from "../core/job-state.ts";
import { parseStampNs } from "../core/log-stamp.ts";
import { endOf, type Pod } from "../core/workload.ts";
import { Fault } from "../errors.ts";
import type { Cluster } from "../kubernetes/cluster.ts";
import type { LogPosition, LogRequest } from "./log-request.ts";
import { hasLogOf, isPodGone, nextPod, podsToPass, readOutOfOrder } from "./pods-to-read.ts";
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
 * The log of a Job: that of its pods, one after the other as they started, each behind a line that names it where there
 * are several. Follows pods to come until the Job has ended. `position` tells at any time how far it is. Throws a Fault.
 */
export async function* streamLog(source: LogSource, position: LogPosition): AsyncGenerator<Buffer, void> {
  const { cluster, signal } = source;
  const follow = source.request.follow === true;
  let run = await source.readRun(signal);
  const isGone = isPodGone(run, source.request);
  const request = isGone ? { ...source.request, pod: undefined } : source.request;
  const container = chooseContainer(run, request.container);
  const passed = podsToPass(run.pods, request, container);
  let spareBytes = source.limitBytes;
  let isMidLine = false;
  let hasSeveralPods = isGone;
  let atHand: Pod | undefined;

  /** The run as it is now, or as it was while the API server does not answer: a follower has time. */
  async function look(): Promise<void> {
    run = await source.readRun(signal).catch((error) => {
      signal.throwIfAborted();
      if (error instanceof Fault && error.code === "api-unavailable") return run;
      throw error;
    });
    if (atHand) position.without = readOutOfOrder(run.pods, passed, atHand, container);
  }

  function* give(text: Buffer): Generator<Buffer> {
    spareBytes -= text.length;
    isMidLine = text.at(-1) !== lineFeed;
    yield text;
  }

  async function* givePod(pod: Pod): AsyncGenerator<Buffer, void> {
    const { name, creationTimestamp } = pod.metadata;
    atHand = pod;
    position.pod = name;
    position.without = readOutOfOrder(run.pods, passed, pod, container);
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
        await look();
        return run.pods.find(({ metadata }) => metadata.uid === pod.metadata.uid);
      },
    };
    for await (const text of readPodLog(cluster, log, position, signal)) yield* give(text);
  }

  if (isGone) {
    position.isPodGone = true;
    const lost = request.sinceTime === undefined ? "its log" : `what it wrote after ${request.sinceTime}`;
    const note = `pod ${source.request.pod} is gone, and ${lost} with it; the other pods' lines follow`;
    yield* give(Buffer.from(`--- sync-trigger: ${note}\n`));
  }
  let isFirst = true;
  for (;;) {
    const next = nextPod(run.pods, passed, container, isFirst ? request.pod : undefined);
    if (next && hasLogOf(container)(next)) {
      yield* givePod(next);
      isFirst = false;
      passed.add(next.metadata.uid);
      continue;
    }
    const isOver = follow ? !next && endOf(run.job) !== undefined : true;
    if (isOver && isFirst && !isGone) throw noLog(run, next, container);
    if (isOver) return;
    await pause(pauseMs, undefined, { signal });
    await look();
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

function noLog({ job, pods }: Run, next: Pod | undefined, container: string): Fault {
  const { state, reason, message } = jobState(job, pods, Date.now());
  const waits = next && waitingReason(next, container);
  const why = [waits?.reason ?? reason, waits?.message ?? message].filter(Boolean).join(": ");
  const detail = `Job ${job.metadata.name} is ${state} and has no log${why ? ` (${why})` : ""}`;
  // Kubernetes removes the pods of a Job that ran out of time or, with restartPolicy OnFailure, of attempts.
  if (endOf(job)) return new Fault("no-log", detail);
  return new Fault("no-log-yet", detail, { headers: { "Retry-After": "1" } });
}
