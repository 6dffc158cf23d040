import { setTimeout as pause } from "node:timers/promises";
import { hasPodEnded, statusOf } from "../core/containers.ts";
import { createLogLines } from "../core/log-lines.ts";
import { parseStampNs, toStampSecond } from "../core/log-stamp.ts";
import type { Pod } from "../core/workload.ts";
import { Fault } from "../errors.ts";
import { ApiError, isPassing } from "../kubernetes/api-error.ts";
import type { Cluster } from "../kubernetes/cluster.ts";
import { toApiFault } from "../kubernetes/report-api-errors.ts";
import { freeBuffers } from "./free-buffers.ts";
import type { LogPosition } from "./log-request.ts";

/** Which log to read, and how far an answer may go. */
export type PodLog = {
  pod: Pod;
  container: string;
  follow: boolean;
  tailLines?: number | undefined;
  afterNs?: bigint | undefined;
  /** Bytes that may still be given out. */
  spareBytes(): number;
  /** The pod as it is now; undefined when it is gone. */
  refresh(): Promise<Pod | undefined>;
};

/** The answer holds as much as it may. */
export class LogLimitReached extends Error {
  override readonly name = "LogLimitReached";
}

const pauseMs = 1_000;
/** Attempts without a line between them. A follower outlives a restart of the API server, others can ask again. */
const maxBreaks = { following: 30, once: 3 };

/**
 * The lines of one container, whole ones and without stamps. What breaks off is read on behind the last line, and a
 * followed log that ends is asked for once more: an API server that stops ends its streams as if they were complete.
 */
export async function* readPodLog(
  cluster: Pick<Cluster, "readLog">,
  log: PodLog,
  position: LogPosition,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void> {
  let { follow, afterNs, tailLines } = log;
  if (tailLines === 0) {
    // From now on. The time is what a second look goes on from: another tail of no lines would leave out those between.
    position.stamp = new Date().toISOString();
    afterNs = parseStampNs(position.stamp);
    tailLines = undefined;
  }
  let cutLine: Buffer = Buffer.alloc(0);
  for (let breaks = 0; ; ) {
    const lines = createLogLines({ afterNs, limitBytes: log.spareBytes() });
    const give = (text: Buffer): Buffer => {
      position.stamp = lines.lastStamp() ?? position.stamp;
      breaks = 0;
      return text;
    };
    let hasEnded = false;
    try {
      const since = afterNs === undefined ? {} : { sinceTime: toStampSecond(afterNs) };
      const tail = tailLines === undefined ? {} : { tailLines };
      const query = { container: log.container, ...(follow ? { follow } : {}), ...since, ...tail };
      const stream = await cluster.readLog(log.pod.metadata.name, query, { signal });
      let isEmpty = true;
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        isEmpty = false;
        freeBuffers(chunk.length);
        for (const text of lines.take(chunk)) yield give(text);
        if (lines.isFull()) throw new LogLimitReached();
      }
      const rest = lines.takeRest();
      // A runtime ends every line of its log, so this may be a stream that was cut; if it ends so again, it was not.
      if (isEmpty) tailLines = undefined; // what comes now is no tail of what was there
      hasEnded = rest.length === 0 || (!follow && (rest.equals(cutLine) || breaks >= maxBreaks.once));
      if (!hasEnded) breaks += 1;
      if (hasEnded && rest.length > 0) yield give(rest);
      if (hasEnded && lines.isFull()) throw new LogLimitReached();
      cutLine = rest;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof LogLimitReached) throw error;
      if (isGone(error)) return;
      breaks += 1;
      // An ApiError is a log that did not open, which was tried more than once already.
      const mayPass = error instanceof ApiError ? log.follow && (isPassing(error.failure) || isWaiting(error)) : true;
      if (!mayPass || breaks > (log.follow ? maxBreaks.following : maxBreaks.once)) throw toLogFault(error);
    }
    if (hasEnded && !follow) return;
    if (position.stamp !== undefined) {
      afterNs = parseStampNs(position.stamp);
      tailLines = undefined;
    }
    const now = log.follow ? await log.refresh() : log.pod;
    if (!now || isOver(now, log.container)) {
      if (!now && !hasEnded) return;
      follow = false; // the last look
    } else await pause(pauseMs, undefined, { signal });
  }
}

/** Whether a container has ended for good: nothing will be added to its log. */
function isOver(pod: Pod, container: string): boolean {
  const terminated = statusOf(pod, container)?.state?.terminated;
  if (hasPodEnded(pod)) return true;
  return terminated !== undefined && (pod.spec.restartPolicy === "Never" || terminated.exitCode === 0);
}

function isGone(error: unknown): boolean {
  return error instanceof ApiError && error.failure.status === 404;
}

/** The API server's answer for a container that has not started. */
function isWaiting(error: unknown): boolean {
  return error instanceof ApiError && error.failure.status === 400;
}

function toLogFault(error: unknown): unknown {
  if (error instanceof ApiError && isWaiting(error)) {
    return new Fault("no-log-yet", error.failure.message, { cause: error, headers: { "Retry-After": "1" } });
  }
  if (error instanceof ApiError) return toApiFault(error);
  return new Fault("api-unavailable", "the API server broke off the log", { cause: error });
}
