import { secondsTime } from "../api/go-time.ts";
import type { Pod } from "../api/objects.ts";
import { createLogFile, type LogFile } from "./log-file.ts";
import { type ContainerState, newContainerId } from "./pod-status.ts";
import { processSpec } from "./process-spec.ts";
import { type RunningProcess, runProcess } from "./run-process.ts";

/** A pod whose container has been started. */
export interface PodRun {
  log: LogFile;
  stop(graceMs: number): void;
  ended: Promise<void>;
}

/** Runs the one container of a pod, and tells of each new state that it is in. */
export function startPodRun(
  pod: Pod,
  directory: string,
  logPath: string,
  onState: (state: ContainerState, containerId: string) => void,
): PodRun {
  const log = createLogFile(logPath);
  const containerID = newContainerId();
  const [container = { name: "" }] = pod.spec.containers;
  let startedAt = secondsTime(0);
  const running: RunningProcess = runProcess(
    processSpec(container, directory),
    (stream, chunk) => log.append(stream, chunk),
    () => {
      startedAt = secondsTime(Date.now());
      onState({ running: { startedAt } }, containerID);
    },
  );
  const ended = running.ended.then((end) => {
    log.end();
    const finishedAt = secondsTime(Date.now());
    const terminated =
      "startError" in end
        ? { exitCode: 128, reason: "StartError", message: end.startError, startedAt, finishedAt, containerID }
        : {
            exitCode: end.exitCode,
            reason: end.exitCode === 0 ? "Completed" : "Error",
            startedAt,
            finishedAt,
            containerID,
          };
    onState({ terminated }, containerID);
  });
  return { log, stop: (graceMs) => running.stop(graceMs), ended };
}
