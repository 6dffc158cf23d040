import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { Pod } from "../api/objects.ts";
import type { PodLogs } from "../api/pod-log.ts";
import { PODS } from "../api/resources.ts";
import { settle } from "../api/settle.ts";
import type { Store } from "../api/store.ts";
import { type PodRun, startPodRun } from "./pod-run.ts";
import { type ContainerState, unschedulable, withContainerState } from "./pod-status.ts";
import { readLog } from "./read-log.ts";

/** What the node is told. */
export interface NodeOptions {
  /** The directory that stands for each image; any other image cannot be pulled. */
  images: Readonly<Record<string, string>>;
}

/** The node, once it is up. */
export interface EmbeddedNode {
  logs: PodLogs;
  close(): Promise<void>;
}

const nodeName = "embedded";
const nodeLabels: Readonly<Record<string, string>> = {
  "kubernetes.io/arch": process.arch === "x64" ? "amd64" : process.arch,
  "kubernetes.io/hostname": nodeName,
  "kubernetes.io/os": process.platform,
};

/** How long a pod shows the first failure to pull its image before it shows that it waits to try again. */
const pullBackoffMs = 300;
const closeGraceMs = 1000;

/** The scheduler, the kubelet and the container runtime of one node, which is this machine. */
export async function createNode(store: Store, { images }: NodeOptions): Promise<EmbeddedNode> {
  const directory = await mkdtemp(join(tmpdir(), "embedded-cluster-"));
  const runs = new Map<string, PodRun>();
  /** Also of those whose pod is gone already. */
  const ends = new Set<Promise<void>>();
  let isClosed = false;
  const timers = new Set<NodeJS.Timeout>();
  const current = ({ metadata: { namespace, name, uid } }: Pod) => {
    const pod = store.get(PODS, namespace, name);
    return pod?.metadata.uid === uid ? pod : undefined;
  };

  const setState = (pod: Pod, state: ContainerState, containerId: string) => {
    const now = current(pod);
    if (!now) return;
    const next = withContainerState(now, state, containerId);
    if (!state.terminated || !now.metadata.deletionTimestamp) store.update(PODS, next);
    // What was told to end and has ended is waited for no longer.
    else settle(store, PODS, { ...next, metadata: { ...next.metadata, deletionGracePeriodSeconds: 0 } });
  };

  const begin = (pod: Pod | undefined) => {
    if (!pod || pod.metadata.deletionTimestamp || isClosed) return;
    const { nodeSelector = {}, containers } = pod.spec;
    const fits = Object.entries(nodeSelector).every(([key, value]) => nodeLabels[key] === value);
    if (!fits) {
      store.update(PODS, unschedulable(pod, noNodeFits));
      return;
    }
    const placed = store.update(PODS, { ...pod, spec: { ...pod.spec, nodeName } });
    setState(placed, { waiting: { reason: "ContainerCreating" } }, "");
    const image = containers[0]?.image ?? "";
    const imageDirectory = images[image];
    if (imageDirectory === undefined) failToPull(pod, image);
    else {
      const logPath = join(directory, `${pod.metadata.uid}.log`);
      const run = startPodRun(pod, imageDirectory, logPath, (state, id) => setState(pod, state, id));
      runs.set(pod.metadata.uid, run);
      ends.add(run.ended);
      run.ended.then(() => ends.delete(run.ended));
    }
  };

  const failToPull = (pod: Pod, image: string) => {
    if (pod.spec.containers[0]?.imagePullPolicy === "Never") {
      const message = `Container image "${image}" is not present with pull policy of Never`;
      setState(pod, { waiting: { reason: "ErrImageNeverPull", message } }, "");
      return;
    }
    const problem = `failed to pull and unpack image "${image}": the embedded cluster has no directory for it`;
    setState(pod, { waiting: { reason: "ErrImagePull", message: problem } }, "");
    const message = `Back-off pulling image "${image}": ErrImagePull: ${problem}`;
    const timer = setTimeout(() => {
      timers.delete(timer);
      const now = current(pod);
      if (now && !now.metadata.deletionTimestamp)
        setState(pod, { waiting: { reason: "ImagePullBackOff", message } }, "");
    }, pullBackoffMs);
    timers.add(timer);
  };

  const end = (pod: Pod) => {
    const run = runs.get(pod.metadata.uid);
    const graceMs = 1000 * (pod.metadata.deletionGracePeriodSeconds ?? 0);
    if (run && !run.log.isEnded) {
      run.stop(graceMs);
      return;
    }
    // Nothing runs, or not any more: there is nothing to wait for.
    const now = current(pod);
    if (now) settle(store, PODS, { ...now, metadata: { ...now.metadata, deletionGracePeriodSeconds: 0 } });
  };

  const unsubscribe = store.subscribe(({ type, resource, object, before }) => {
    if (resource !== PODS) return;
    const pod = object as Pod;
    // Never from within the write that we are told of.
    if (type === "ADDED") setImmediate(() => begin(current(pod)));
    else if (type === "DELETED") forget(pod);
    else if (pod.metadata.deletionTimestamp && !before?.metadata.deletionTimestamp) setImmediate(() => end(pod));
  });

  const forget = (pod: Pod) => {
    const run = runs.get(pod.metadata.uid);
    if (!run) return;
    runs.delete(pod.metadata.uid);
    run.stop(0);
    run.ended.then(() => rm(run.log.path, { force: true })).catch(() => undefined);
  };

  return {
    logs: {
      read: (pod, options) => {
        const run = runs.get(pod.metadata.uid);
        return run ? readLog(run.log, options) : Readable.from([]);
      },
    },
    close: async () => {
      isClosed = true;
      unsubscribe();
      for (const timer of timers) clearTimeout(timer);
      for (const run of runs.values()) run.stop(closeGraceMs);
      await Promise.all(ends);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const noNodeFits =
  "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";
