import type { JsonObject } from "../core/json.ts";
import { ApiError } from "./api-error.ts";
import type { CallOptions, Cluster } from "./cluster.ts";

/**
 * The same cluster, but triggers that come together share a read of the CronJob. None gets one that began before it
 * asked: a change that somebody made before a trigger is in that trigger's Job. While a read is under way, all who come
 * wait for the one that begins after it, so a trigger waits for two reads at most.
 */
export function shareCronJobReads<Calls extends Pick<Cluster, "getCronJob">>(cluster: Calls): Calls {
  let current: Promise<JsonObject> | undefined;
  let next: Promise<JsonObject> | undefined;

  function begin(): Promise<JsonObject> {
    // No caller's signal: the others go on when one leaves. Each attempt has its own deadline.
    const read = cluster.getCronJob({ signal: new AbortController().signal });
    const end = () => {
      if (current === read) current = undefined;
    };
    current = read;
    read.then(end, end);
    return read;
  }

  function join(): Promise<JsonObject> {
    if (!current) return begin();
    next ??= current
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        return begin();
      });
    return next;
  }

  return { ...cluster, getCronJob: ({ signal }: CallOptions) => untilAborted(join(), signal) };
}

/** A read that somebody else may own, as long as we have time for it. */
function untilAborted(read: Promise<JsonObject>, signal: AbortSignal): Promise<JsonObject> {
  return new Promise((resolve, reject) => {
    const giveUp = () =>
      reject(
        new ApiError({
          call: "getCronJob",
          status: 0,
          reason: "",
          message: "no answer within the deadline",
          mayHaveTakenEffect: false,
        }),
      );
    if (signal.aborted) giveUp();
    signal.addEventListener("abort", giveUp, { once: true });
    read.then(resolve, reject).finally(() => signal.removeEventListener("abort", giveUp));
  });
}
