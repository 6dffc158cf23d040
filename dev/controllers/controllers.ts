import type { Store } from "../api/store.ts";
import { startCronJobController } from "./cronjob-controller.ts";
import { startGarbageCollector } from "./garbage-collector.ts";
import { type JobControllerOptions, startJobController } from "./job-controller.ts";
import { startNamespaceController } from "./namespace-controller.ts";
import { startTtlController } from "./ttl-controller.ts";

/** Starts what kube-controller-manager does for the kinds of object that are stored here; returns how to stop it. */
export function startControllers(store: Store, options: JobControllerOptions): () => void {
  const stops = [
    startJobController(store, options),
    startCronJobController(store),
    startTtlController(store),
    startGarbageCollector(store),
    startNamespaceController(store),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
