import { jobEnd } from "../../support/jobs.ts";
import { api } from "./cluster.ts";

/** How a Job ended. On a busy machine the Job controller alone has been seen to take 36 s for the pod. */
export function runEnd(namespace: string, name: string): Promise<string> {
  return jobEnd(api, namespace, name, 180_000);
}
