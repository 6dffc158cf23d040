import { setTimeout as pause } from "node:timers/promises";
import { startFaultProxy } from "../support/fault-proxy.ts";
import { createLease } from "../support/lease.ts";
import type { Target } from "../support/target.ts";
import { until } from "../support/until.ts";
import type { Promised } from "./case.ts";
import { check, type Verdict } from "./check.ts";
import { historyCronJob, type JobKind } from "./cronjob.ts";
import { deliver } from "./deliver.ts";
import { createFaultRule } from "./faults.ts";
import { createRecorder, type JobSeen, type Recorder } from "./history.ts";
import { createHands } from "./jobs-by-hand.ts";
import { type Delivery, mixPolicies, planDeliveries } from "./plan.ts";
import { createRandom, type Random } from "./random.ts";
import { type Replica, startReplica, troubleReplica } from "./replicas.ts";
import { watchJobs } from "./watch-jobs.ts";
import { watchRecord } from "./watch-record.ts";

/** A run: what is promised, how much is asked, and how much goes wrong. */
export type RunOptions = Promised & {
  seed: number;
  triggers: number;
  keys: number;
  /** Over how long the triggers are spread; everything goes wrong within it, nothing after. */
  spanMs: number;
  jobs: JobKind;
  /** How often something is done to each process, on average. */
  troubleEveryMs: number;
  longestFreezeMs: number;
  /** How often the API server is ended and started again; `apiServer` does it. */
  apiRestarts: number;
  apiServer?: ApiServer | undefined;
  /** Of the requests to the API server this share is spoiled, and as many are late. */
  faultShare: number;
  /** Of the keys this share has a policy of its own, where the record allows for that. */
  ownPolicyShare: number;
  /** Of the deliveries this share uses its key for another request, likewise. */
  reusedShare: number;
  /** Of the Jobs this share is removed by a person. */
  removedShare: number;
  /** How long the function waits for an answer of the API server, and for a whole trigger. */
  apiTimeoutMs: number;
  triggerTimeoutMs: number;
  /** Where the history is written, a line of JSON an entry. */
  file?: string | undefined;
  /** For tests of the checker: told of each Job, it may break a promise. */
  sabotage?: (job: JobSeen, namespace: string) => Promise<void>;
};

/** The API server, to be ended (gracefully or not) and started again. */
export type ApiServer = { stop(signal: "SIGTERM" | "SIGKILL"): Promise<void>; start(): Promise<void> };

const cronJobName = "sync";
const replicaNames = ["a", "b", "c"];
const longestOutageMs = 10_000;
/** A reservation whose maker died stands in others' way for 90 s. */
const patienceMs = 180_000;

/** Runs triggers against three processes while everything goes wrong, then checks what happened. */
export async function runHistory(target: Target, options: RunOptions): Promise<Verdict> {
  const { seed, policy, isRemembered, spanMs } = options;
  const namespace = await target.createNamespace(`${policy} ${isRemembered} ${seed}`);
  await target.seedCronJob(namespace, historyCronJob(cronJobName, options.jobs, target.syncImage));
  await createLease(target.api, namespace);
  const recorder = createRecorder(options.file);
  const random = (name: string) => createRandom(seed, name);
  const hands = createHands(target.api, namespace, recorder, {
    random: random("hands"),
    endsAfterMs: options.jobs === "written" ? 3_000 : undefined,
    removedShare: options.removedShare,
  });
  const sabotage: Promise<void>[] = [];
  const onJob = (job: JobSeen) => {
    hands.onJob(job);
    if (options.sabotage) sabotage.push(options.sabotage(job, namespace));
  };
  const watches = [
    await watchJobs(target.api, namespace, { recorder, onJob }),
    await watchRecord(target.api, namespace, recorder),
  ];
  const proxy = await startFaultProxy(target.api);
  const env = {
    ...(await target.env({ server: proxy.url })),
    ...{ CRONJOB_NAME: cronJobName, CRONJOB_NAMESPACE: namespace, OVERLAP_POLICY: policy },
    ...{ API_TIMEOUT_MS: String(options.apiTimeoutMs), TRIGGER_TIMEOUT_MS: String(options.triggerTimeoutMs) },
    ...(isRemembered ? { DEDUPE_WINDOW: "1d" } : {}),
  };
  const replicas: Replica[] = [];
  try {
    for (const name of replicaNames) replicas.push(await startReplica(name, env, recorder));
    const untilMs = performance.now() + spanMs;
    const sending = { replicas, recorder, untilMs: untilMs + patienceMs };
    const { faultShare: share, apiTimeoutMs } = options;
    proxy.rule(createFaultRule(random("faults"), { share, apiTimeoutMs }));
    // A policy per request needs the record.
    const isMixed = isRemembered || policy !== "allow";
    const mix = isMixed ? mixPolicies(random("policies"), policy, options) : (delivery: Delivery) => delivery;
    const deliveries = planDeliveries(random("plan"), options.triggers, options.keys, spanMs).map(mix);
    const clients = deliveries.map(async (delivery) => {
      await pause(delivery.atMs);
      await deliver(delivery, random(`client ${delivery.number}`), sending);
    });
    const trouble = { untilMs, everyMs: options.troubleEveryMs, longestFreezeMs: options.longestFreezeMs };
    await Promise.all([
      ...replicas.map((replica) => troubleReplica(replica, random(`trouble ${replica.name}`), trouble)),
      restartApiServer(options, recorder, random("api server")),
    ]);
    proxy.rule(() => undefined);
    const spoiled = proxy.requests.filter(({ isOpen }) => isOpen);
    await until("what was under way to the API server to end", () => spoiled.every(({ isOpen }) => !isOpen));
    recorder.record({ kind: "calm", atMs: Date.now() });
    await Promise.all(clients);
    const again = planDeliveries(random("again"), options.keys, options.keys, 0).map(mix);
    for (const delivery of again) {
      const number = deliveries.length + delivery.number;
      await deliver({ ...delivery, number }, random(`client ${number}`), sending);
    }
    await until("every request to the API server to end", () => proxy.requests.every(({ isOpen }) => !isOpen));
    await Promise.all(sabotage);
    await hands.close();
    for (const watch of watches) await watch.close();
  } finally {
    await Promise.all(replicas.map((replica) => replica.stop()));
    await proxy.close();
  }
  return check(recorder.entries, { policy, isRemembered });
}

/** Ends the API server at even intervals, by turns as a crash and gracefully, and starts it again a while later. */
async function restartApiServer(
  { apiRestarts, apiServer, spanMs }: RunOptions,
  recorder: Recorder,
  random: Random,
): Promise<void> {
  if (!apiServer) return;
  for (let count = 0; count < apiRestarts; count += 1) {
    await pause(spanMs / (apiRestarts + 1) - longestOutageMs);
    recorder.record({ kind: "api-server", atMs: Date.now(), change: "stopping" });
    await apiServer.stop(count % 2 === 0 ? "SIGKILL" : "SIGTERM");
    await pause(random.between(0, longestOutageMs));
    await apiServer.start();
    recorder.record({ kind: "api-server", atMs: Date.now(), change: "started" });
  }
}
