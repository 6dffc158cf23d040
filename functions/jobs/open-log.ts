import { setTimeout as pause } from "node:timers/promises";
import { Fault } from "../errors.ts";
import type { Logger } from "../log.ts";
import { type LogPosition, type LogRequest, toResumeQuery } from "./log-request.ts";
import { LogLimitReached } from "./read-pod-log.ts";
import { type LogSource, streamLog } from "./stream-log.ts";

/** What ends a log before its Job does. */
export type LogEnds = {
  /** The client left. */
  gone: AbortSignal;
  /** We are ending. */
  draining: AbortSignal;
  /** Seconds after which the Service ends a request. */
  requestTimeoutS: number;
};

/** How much earlier than the Service we end, so that the last line still goes out. */
const marginS = 10;
/** A silent container sends no answer at all: after this long, errors are told in the log instead of by a status. */
const patienceMs = 1_000;

/**
 * Opens the log of a Job. Rejects with a Fault for what is known before the first line; what ends the log later is told
 * by its last line, with the query that goes on from there.
 */
export async function openLog(
  job: string,
  source: Omit<LogSource, "signal">,
  ends: LogEnds,
  log: Logger,
): Promise<AsyncIterable<Buffer>> {
  const late = AbortSignal.timeout((ends.requestTimeoutS - marginS) * 1_000);
  const signal = AbortSignal.any([ends.gone, ends.draining, late]);
  const position: LogPosition = {};
  const texts = streamLog({ ...source, signal }, position);
  const first = texts.next();
  first.catch(() => undefined); // nobody may come to take it
  await Promise.race([first, ...(source.request.follow ? [pause(patienceMs)] : [])]).catch((error) => {
    if (!ends.draining.aborted) throw error; // else the log's one line says where to go on
  });
  return tellEnd();

  async function* tellEnd(): AsyncGenerator<Buffer, void> {
    let last: Buffer | undefined;
    try {
      for (let step = await first; !step.done; step = await texts.next()) {
        last = step.value;
        yield step.value;
      }
    } catch (error) {
      if (ends.gone.aborted) return;
      const why = describeEnd(error);
      const isGone = error instanceof Fault && error.code === "job-not-found";
      const resume = isGone ? "" : `; resume with ${toResumePath(job, source.request, position)}`;
      const lead = last && last.at(-1) !== 0x0a ? "\n" : "";
      yield Buffer.from(`${lead}--- sync-trigger: ${why}${resume}\n`);
    }
  }

  function describeEnd(error: unknown): string {
    if (ends.draining.aborted) return "this instance is ending";
    if (late.aborted) return `one request lasts at most ${ends.requestTimeoutS} s`;
    if (error instanceof LogLimitReached) return `one answer holds at most ${source.limitBytes} bytes`;
    if (error instanceof Fault) return error.message;
    log.error({ err: error, job }, "log broke off");
    return "unexpected error; see the function's own log";
  }
}

function toResumePath(job: string, request: LogRequest, position: LogPosition): string {
  const query = toResumeQuery(request, position);
  return `/jobs/${job}/logs${query === "" ? "" : `?${query}`}`;
}
