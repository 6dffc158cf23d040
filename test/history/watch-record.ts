import type { JsonObject } from "../../functions/core/json.ts";
import type { KubeApi } from "../support/kube-api.ts";
import { readRecord } from "../support/lease.ts";
import { until } from "../support/until.ts";
import type { Recorder, RecordLine } from "./history.ts";
import { watchCollection } from "./watch-collection.ts";

/** Records how the record of keys changes, version by version. */
export async function watchRecord(
  api: KubeApi,
  namespace: string,
  recorder: Recorder,
): Promise<{ close(): Promise<void> }> {
  let lines = new Set<string>();

  function see({ metadata }: JsonObject): void {
    const { resourceVersion, annotations = {} } = metadata as {
      resourceVersion: string;
      annotations?: Record<string, string>;
    };
    const next = new Set((annotations["sync-trigger.internal/record"] ?? "").split("\n").filter((line) => line !== ""));
    const added = [...next].filter((line) => !lines.has(line)).map(toRecordLine);
    const removed = [...lines].filter((line) => !next.has(line)).map(toRecordLine);
    lines = next;
    if (added.length + removed.length === 0) return;
    recorder.record({ kind: "record", atMs: Date.now(), revision: Number(resourceVersion), added, removed });
  }

  const watch = await watchCollection(api, `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`, {
    onList: (leases) => leases.forEach(see),
    onChange: (_change, lease) => see(lease),
  });
  return {
    async close() {
      await until("the watch to have seen the whole record", async () => {
        const stored = await readRecord(api, namespace);
        return stored.length === lines.size && stored.every((line) => lines.has(line));
      });
      await watch.close();
    },
  };
}

/** `SLOT P|D|E TIME REQUEST UID`, without the function's own code: the checker must not share its mistakes. */
function toRecordLine(text: string): RecordLine {
  const [slot = "", state, time = ""] = text.split(" ");
  const iso = time.replace(/^(....)(..)(..T..)(..)/, "$1-$2-$3:$4:");
  return { slot, state: state as RecordLine["state"], sinceMs: Date.parse(iso) };
}
