import type { JsonObject } from "../../functions/core/json.ts";
import { type FaultProxy, startFaultProxy } from "./fault-proxy.ts";
import { type FunctionProcess, startFunction } from "./function-process.ts";
import { createLease } from "./lease.ts";
import { openTarget, type Target } from "./target.ts";
import { until } from "./until.ts";

/** A namespace with a CronJob "sync", a record and a process of the function. */
export type Place = { namespace: string; fn: FunctionProcess };

/** What the tests of one file need: places, and hands on what is in them. */
export type Places = {
  target: Target;
  /** Between every function of the file and the API server. */
  proxy: FaultProxy;
  /** Makes a place of that name. */
  install(name: string, cronJob: JsonObject, env: Record<string, string>, withLease?: boolean): Promise<Place>;
  /** Starts one more process of the function for a place's namespace. */
  startReplica(namespace: string, env: Record<string, string>): Promise<FunctionProcess>;
  /** Deletes a Job as a person would. */
  deleteJob(namespace: string, name: string): Promise<void>;
  /** Waits until somebody has removed a Job. */
  untilGone(namespace: string, name: string): Promise<unknown>;
  /** Changes the CronJob by a merge patch; `subresource` such as "/status". */
  patchCronJob(namespace: string, patch: object, subresource?: string): Promise<void>;
  /** Makes a Job as the schedule would, which the CronJob's status calls active; resolves with its name. */
  startScheduledJob(namespace: string): Promise<string>;
  close(): Promise<void>;
};

/** Opens the target with a fault proxy before it for a test file. */
export async function openPlaces(file: string): Promise<Places> {
  const target = await openTarget(file);
  const proxy = await startFaultProxy(target.api);
  const started: FunctionProcess[] = [];
  const jobPath = (namespace: string, name: string) => `/apis/batch/v1/namespaces/${namespace}/jobs/${name}`;
  const isGone = async (path: string) => (await target.api.call("GET", path)).status === 404;

  const places: Places = {
    target,
    proxy,
    async install(name, cronJob, env, withLease = true) {
      const namespace = await target.createNamespace(name);
      await target.seedCronJob(namespace, cronJob);
      if (withLease) await createLease(target.api, namespace);
      return { namespace, fn: await places.startReplica(namespace, env) };
    },
    async startReplica(namespace, env) {
      const base = await target.env({ server: proxy.url });
      const fn = await startFunction({ ...base, CRONJOB_NAME: "sync", CRONJOB_NAMESPACE: namespace, ...env });
      started.push(fn);
      return fn;
    },
    async deleteJob(namespace, name) {
      await target.api.expect("DELETE", `${jobPath(namespace, name)}?propagationPolicy=Background`);
      await places.untilGone(namespace, name);
    },
    untilGone: (namespace, name) => until(`Job ${name} to be gone`, () => isGone(jobPath(namespace, name)), 60_000),
    async patchCronJob(namespace, patch, subresource = "") {
      const path = `/apis/batch/v1/namespaces/${namespace}/cronjobs/sync${subresource}`;
      await target.api.expect("PATCH", path, patch, { "content-type": "application/merge-patch+json" });
    },
    async startScheduledJob(namespace) {
      const batch = `/apis/batch/v1/namespaces/${namespace}`;
      const cronJob = await target.api.expect("GET", `${batch}/cronjobs/sync`);
      const { uid: ownerUid } = cronJob.metadata as { uid: string };
      const owner = { apiVersion: "batch/v1", kind: "CronJob", name: "sync", uid: ownerUid, controller: true };
      const job = await target.api.expect("POST", `${batch}/jobs`, {
        apiVersion: "batch/v1",
        kind: "Job",
        metadata: { name: "sync-29000000", ownerReferences: [owner] },
        spec: (cronJob.spec as { jobTemplate: JsonObject }).jobTemplate.spec,
      });
      const { name, uid } = job.metadata as { name: string; uid: string };
      const active = [{ apiVersion: "batch/v1", kind: "Job", namespace, name, uid }];
      await places.patchCronJob(namespace, { status: { active } }, "/status");
      return name;
    },
    async close() {
      await Promise.all(started.map((fn) => fn.stop()));
      await proxy.close();
      await target.close();
    },
  };
  return places;
}

/** Asks a process for a run over HTTP, with a key and a request where they are given. */
export function triggerOver({ fn }: { fn: FunctionProcess }, key?: string, request?: object): Promise<Response> {
  return fetch(`${fn.url}/trigger-sync`, {
    method: "POST",
    headers: {
      ...(key === undefined ? {} : { "idempotency-key": key }),
      ...(request ? { "content-type": "application/json" } : {}),
    },
    ...(request ? { body: JSON.stringify(request) } : {}),
  });
}
