import type { JsonObject } from "../../functions/core/json.ts";
import { type FaultProxy, startFaultProxy } from "./fault-proxy.ts";
import { type FunctionProcess, startFunction } from "./function-process.ts";
import { scriptCronJob } from "./runs.ts";
import { openTarget, type Target } from "./target.ts";

/** What tests of logs need: a namespace, a fault proxy before the API server, and processes that run scripts as Jobs. */
export type LogStage = {
  target: Target;
  namespace: string;
  proxy: FaultProxy;
  /** Starts a process of the function for a CronJob that is there. */
  start(name: string, env?: Record<string, string>): Promise<FunctionProcess>;
  /** The same for a CronJob that it stores first. */
  startFor(cronJob: JsonObject, env?: Record<string, string>): Promise<FunctionProcess>;
  /** The same for one whose Jobs run this script. */
  startScript(name: string, script: string, env?: Record<string, string>): Promise<FunctionProcess>;
  close(): Promise<void>;
};

/** Opens the target with a namespace for a test file. */
export async function openLogStage(file: string): Promise<LogStage> {
  const target = await openTarget(file);
  const namespace = await target.createNamespace(file);
  const proxy = await startFaultProxy(target.api);
  const started: FunctionProcess[] = [];

  const stage: LogStage = {
    ...{ target, namespace, proxy },
    async start(name, env = {}) {
      const base = await target.env({ server: proxy.url });
      const fn = await startFunction({ ...base, CRONJOB_NAME: name, CRONJOB_NAMESPACE: namespace, ...env });
      started.push(fn);
      return fn;
    },
    async startFor(cronJob, env) {
      await target.seedCronJob(namespace, cronJob);
      return stage.start((cronJob.metadata as { name: string }).name, env);
    },
    startScript: (name, script, env) => stage.startFor(scriptCronJob({ name, image: target.syncImage }, script), env),
    async close() {
      await Promise.all(started.map((fn) => fn.stop()));
      await proxy.close();
      await target.close();
    },
  };
  return stage;
}
