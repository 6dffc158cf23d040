import { defaultContainer, hasPodEnded, hasStarted, statusOf } from "../core/containers.ts";
import { failedContainer, failedPod } from "../core/job-state.ts";
import type { Step } from "../core/job-view.ts";
import { parseStampNs, toStampSecond } from "../core/log-stamp.ts";
import { type SyncStep, showsStep } from "../core/sync-steps.ts";
import type { Pod } from "../core/workload.ts";
import { ApiError } from "../kubernetes/api-error.ts";
import type { Cluster, LogQuery } from "../kubernetes/cluster.ts";
import { toApiFault } from "../kubernetes/report-api-errors.ts";
import { type LogLine, readLogLines } from "./read-log-lines.ts";
import type { Run } from "./read-run.ts";

/** What is known of a Job's log, so that a page that asks every second does not have it read every second. */
type Scan = {
  logId: string;
  seen: Map<string, Pick<Step, "line" | "at">>;
  /** The newest line read; undefined before the first. */
  lastNs?: bigint;
  /** What is left of the log's first MiB, and how many of the bytes before are of the newest line's second. */
  leftBytes: number;
  secondBytes: number;
  /** When that line was first read, and when the log was last looked at, by our own monotonic clock. */
  lastReadAtMs: number;
  lookedAtMs: number;
  /** Whether no further line can have the same second in its stamp. */
  isSecondOver: boolean;
  /** Whether the log was read after the container had ended: there is nothing more to read. */
  isComplete: boolean;
  lastLines?: string[];
};

/** Looks into the logs of Jobs; remembers what it saw of the last few. */
export type LogScanner = {
  /** The steps that the log of the Job's newest pod shows so far; undefined when none are configured. */
  findSteps(run: Run, signal: AbortSignal): Promise<Step[] | undefined>;
  /** The last lines of the container that made a failed Job fail; undefined when they cannot be had. */
  readLastLines(run: Run, signal: AbortSignal): Promise<string[] | undefined>;
};

const maxRemembered = 32;
const headBytes = 1024 * 1024;
const secondNs = 1_000_000_000n;
const tailLines = 200;
const lastLines = 20;
const lastLinesBytes = 64 * 1024;
const longestShown = 1_024;
/** For all that a look reads of a log: the page gives an answer 5 s. */
const readTimeoutMs = 2_000;
/** However many people look at a Job, its log is read no more often. */
const scanEveryMs = 500;
/** A line read this long ago has its second behind it, give and take how late the node writes it. */
const secondIsOverMs = 1_500;
/** Where the newest line's second holds more than this, it is read again once it is over, and not before. */
const cheapBytes = 64 * 1024;

export function createLogScanner(cluster: Pick<Cluster, "readLog">, steps: readonly SyncStep[]): LogScanner {
  const scans = new Map<string, Scan>();

  /** The Job's scan, begun anew when there is another newest pod, or its container was restarted and has a log anew. */
  function recall(jobUid: string, pod: Pod | undefined): Scan | undefined {
    const known = scans.get(jobUid);
    scans.delete(jobUid);
    const logId = pod && `${pod.metadata.uid} ${statusOf(pod, defaultContainer(pod))?.restartCount ?? 0}`;
    const isKnown = known && (logId === undefined || known.logId === logId);
    const fresh = {
      seen: new Map(),
      leftBytes: headBytes,
      secondBytes: 0,
      lastReadAtMs: 0,
      lookedAtMs: Number.NEGATIVE_INFINITY,
      isSecondOver: false,
      isComplete: false,
    };
    const scan = isKnown ? known : logId === undefined ? undefined : { logId, ...fresh };
    if (scan) scans.set(jobUid, scan); // behind all others: the one longest not asked for is in front
    const oldest = scans.keys().next();
    if (scans.size > maxRemembered && !oldest.done) scans.delete(oldest.value);
    return scan;
  }

  async function read(pod: Pod, query: LogQuery & { limitBytes: number }, signal: AbortSignal) {
    const log = await cluster.readLog(pod.metadata.name, query, { signal });
    return readLogLines(log, query.limitBytes);
  }

  function look(scan: Scan, text: string, ns: bigint): void {
    const at = new Date(Number(ns / 1_000_000n)).toISOString();
    for (const step of steps) {
      if (scan.seen.has(step.name) || !showsStep(text, step)) continue;
      scan.seen.set(step.name, { line: text.slice(0, longestShown).toWellFormed(), at });
    }
  }

  /** Takes the lines that were not read before, as far as they are of the log's first MiB. */
  function takeHead(scan: Scan, lines: LogLine[]): void {
    const before = scan.lastNs;
    let isNew = before === undefined;
    for (const { stamp, text, bytes } of lines) {
      const ns = parseStampNs(stamp);
      if (ns === undefined) continue;
      // Only what comes before the first newer line was read before: stamps of two streams, or of a clock set back, may
      // go back a little.
      isNew ||= before !== undefined && ns > before;
      if (!isNew) continue;
      if (bytes > scan.leftBytes) {
        scan.leftBytes = 0;
        return;
      }
      scan.leftBytes -= bytes;
      if (scan.lastNs === undefined || ns / secondNs > scan.lastNs / secondNs) scan.secondBytes = 0;
      scan.secondBytes += bytes;
      if (scan.lastNs === undefined || ns > scan.lastNs) scan.lastNs = ns;
      scan.lastReadAtMs = performance.now();
      scan.isSecondOver = false;
      look(scan, text, ns);
    }
  }

  async function scanHead(scan: Scan, pod: Pod, container: string, signal: AbortSignal): Promise<void> {
    const { lastNs, isSecondOver, leftBytes, secondBytes } = scan;
    const sinceNs = lastNs === undefined ? undefined : lastNs + (isSecondOver ? secondNs : 0n);
    const since = sinceNs === undefined ? {} : { sinceTime: toStampSecond(sinceNs) };
    const limitBytes = leftBytes + (isSecondOver ? 0 : secondBytes);
    const head = await read(pod, { container, limitBytes, ...since }, signal);
    takeHead(scan, head.lines);
    if (head.isCut) scan.leftBytes = 0;
    if (scan.lookedAtMs - scan.lastReadAtMs > secondIsOverMs) scan.isSecondOver = true;
  }

  /** The last lines are known when the pod has ended: looked at before, they would show now this step and now that. */
  async function scanTail(scan: Scan, pod: Pod, container: string, signal: AbortSignal): Promise<void> {
    const { lines } = await read(pod, { container, limitBytes: headBytes, tailLines }, signal);
    for (const { stamp, text } of lines) {
      const ns = parseStampNs(stamp);
      if (ns !== undefined) look(scan, text, ns);
    }
  }

  async function scanOn(scan: Scan, pod: Pod, signal: AbortSignal): Promise<void> {
    const container = defaultContainer(pod);
    const status = statusOf(pod, container);
    if (!status || !hasStarted(status)) return;
    const hasEnded = hasPodEnded(pod);
    const nowMs = performance.now();
    const isCheap = scan.isSecondOver || scan.secondBytes <= cheapBytes || nowMs - scan.lastReadAtMs > secondIsOverMs;
    if (!hasEnded && (!isCheap || nowMs - scan.lookedAtMs < scanEveryMs)) return;
    scan.lookedAtMs = nowMs;
    if (scan.leftBytes > 0) await scanHead(scan, pod, container, signal);
    if (scan.leftBytes === 0 && hasEnded) await scanTail(scan, pod, container, signal);
    scan.isComplete = hasEnded;
  }

  return {
    async findSteps({ job, pods }, signal) {
      if (steps.length === 0) return undefined;
      const pod = pods.at(-1);
      const scan = recall(job.metadata.uid, pod);
      if (scan && pod && !scan.isComplete && scan.seen.size < steps.length) {
        await scanOn(scan, pod, soon(signal)).catch(passOver(signal));
      }
      return steps.map(({ name }) => {
        const seen = scan?.seen.get(name);
        return { name, state: seen ? "seen" : "unknown", ...seen };
      });
    },
    async readLastLines({ job, pods }, signal) {
      const pod = failedPod(pods);
      const container = pod && failedContainer(pod)?.name;
      const scan = recall(job.metadata.uid, pods.at(-1));
      if (!scan || !pod || container === undefined) return scan?.lastLines;
      if (!scan.lastLines) {
        const query = { container, tailLines: lastLines, limitBytes: lastLinesBytes };
        const answer = await read(pod, query, soon(signal)).catch(passOver(signal));
        const toShown = ({ text }: LogLine) => text.slice(0, longestShown).toWellFormed();
        if (answer) scan.lastLines = answer.lines.map(toShown);
      }
      return scan.lastLines;
    },
  };
}

/** A kubelet that does not answer must not hold up what is known without it. */
function soon(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(readTimeoutMs)]);
}

/** For `.catch`: a log that cannot be read now leaves steps unknown; a missing right must be told, and so must haste. */
function passOver(signal: AbortSignal): (error: unknown) => undefined {
  return (error) => {
    signal.throwIfAborted();
    if (error instanceof ApiError && error.failure.status === 403) throw toApiFault(error);
    return undefined;
  };
}
