import { randomBytes } from "node:crypto";
import { secondsTime } from "../api/go-time.ts";
import type { Condition, ContainerStatus, Pod } from "../api/objects.ts";

/** What a container is doing: it waits, runs or has ended. */
export type ContainerState = ContainerStatus["state"];

const nodeIp = "127.0.0.1";

/** An id as a container runtime gives one. */
export const newContainerId = () => `embedded://${randomBytes(32).toString("hex")}`;

/** A pod's conditions with one set; its time moves only when its status does. */
function withCondition(pod: Pod, type: string, status: "True" | "False", reason?: string, message?: string): Condition {
  const before = pod.status.conditions?.find((condition) => condition.type === type);
  const isSame = before?.status === status;
  return {
    type,
    ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
    status,
    lastProbeTime: null,
    lastTransitionTime: (isSame && before.lastTransitionTime) || secondsTime(Date.now()),
    ...(reason !== undefined && { reason }),
    ...(message !== undefined && { message }),
  };
}

/** The status of a pod that no node fits. */
export function unschedulable(pod: Pod, message: string): Pod {
  return {
    ...pod,
    status: {
      phase: "Pending",
      conditions: [withCondition(pod, "PodScheduled", "False", "Unschedulable", message)],
      qosClass: qosClass(pod),
    },
  };
}

/** A pod whose container is in a new state, with everything else that follows from it. */
export function withContainerState(pod: Pod, state: ContainerState, containerId: string): Pod {
  const [container] = pod.spec.containers;
  const phase = phaseOf(state);
  const requests = container?.resources?.requests;
  const isRunning = state.running !== undefined;
  const isOver = phase === "Succeeded" || phase === "Failed";
  const notReady: [string?, string?] = isRunning
    ? []
    : phase === "Succeeded"
      ? ["PodCompleted"]
      : phase === "Failed"
        ? ["PodFailed"]
        : ["ContainersNotReady", `containers with unready status: [${container?.name}]`];
  const ready = isRunning ? "True" : "False";
  const status: ContainerStatus = {
    name: container?.name ?? "",
    state,
    lastState: {},
    ready: isRunning,
    restartCount: 0,
    image: container?.image ?? "",
    imageID: state.waiting ? "" : `embedded://${container?.image}`,
    ...(!state.waiting && { containerID: containerId }),
    started: isRunning,
    ...(requests && !state.waiting && { allocatedResources: requests, resources: container?.resources }),
  };
  return {
    ...pod,
    status: {
      ...pod.status,
      ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
      phase,
      conditions: [
        withCondition(pod, "PodReadyToStartContainers", isOver ? "False" : "True"),
        withCondition(pod, "Initialized", "True", ...(phase === "Succeeded" ? ["PodCompleted"] : [])),
        withCondition(pod, "Ready", ready, ...notReady),
        withCondition(pod, "ContainersReady", ready, ...notReady),
        withCondition(pod, "PodScheduled", "True"),
      ],
      hostIP: nodeIp,
      hostIPs: [{ ip: nodeIp }],
      podIP: nodeIp,
      podIPs: [{ ip: nodeIp }],
      startTime: pod.status.startTime ?? secondsTime(Date.now()),
      containerStatuses: [status],
      qosClass: qosClass(pod),
      ...(requests && { allocatedResources: requests }),
    },
  };
}

function phaseOf({ running, terminated }: ContainerState): Pod["status"]["phase"] {
  if (running) return "Running";
  if (!terminated) return "Pending";
  return terminated.exitCode === 0 ? "Succeeded" : "Failed";
}

/** How much of what it may use a pod has been promised. */
function qosClass(pod: Pod): string {
  const resources = pod.spec.containers.map(({ resources: given }) => given ?? {});
  const isEmpty = resources.every(
    ({ limits, requests }) => Object.keys({ ...limits, ...requests }).filter(isComputed).length === 0,
  );
  if (isEmpty) return "BestEffort";
  const isGuaranteed = resources.every(({ limits = {}, requests = {} }) =>
    ["cpu", "memory"].every((name) => limits[name] !== undefined && (requests[name] ?? limits[name]) === limits[name]),
  );
  return isGuaranteed ? "Guaranteed" : "Burstable";
}

const isComputed = (name: string) => name === "cpu" || name === "memory";
