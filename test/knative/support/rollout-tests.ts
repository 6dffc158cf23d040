import { beforeAll, expect, test } from "vitest";
import { mergePatch } from "./cluster.ts";
import { canCrash, crash, deletePod } from "./end-pod.ts";
import { eventually } from "./eventually.ts";
import { type Installation, install, type Plan } from "./install.ts";
import { removeAfterwards } from "./keep-on-failure.ts";
import { type Attempted, findKeysWithoutOneJob, findTroubled, startLoad } from "./load.ts";
import { isSilent, listFunctionPods, listLivePods, type Pod, readFunctionLog, wake } from "./pods.ts";
import { runReadmeCommand } from "./readme.ts";
import { syncCronJob } from "./sync-cronjob.ts";

/** What a caller may meet while a process or its pod dies under it; each may be repeated with the same key. */
const passing = [502, 503, 504, "ECONNRESET", "ECONNREFUSED", "EPIPE"];

/**
 * The tests of what happens to callers while the function's pods change. `rollCommand` is how README's command begins
 * that makes changed settings take effect.
 */
export function testRollouts(plan: Pick<Plan, "overlay" | "patches">, rollCommand: string): void {
  let installation: Installation;
  beforeAll(async () => {
    installation = await install({ ...plan, what: "rollout", cronJob: syncCronJob({ isIdle: true }) });
  });
  removeAfterwards(() => [installation]);

  test("under load a changed LOG_LEVEL takes effect by README's command, and every request is answered 200", async () => {
    const { namespace } = installation;
    await wake(installation);
    const load = startLoad(installation);
    await eventually("the load to be under way", async () => load.history.length > 20);
    const before = await listLivePods(namespace);
    expect(await hasDebugLines(namespace)).toBe(false);

    await mergePatch(`/api/v1/namespaces/${namespace}/configmaps/sync-trigger`, { data: { LOG_LEVEL: "debug" } });
    await runReadmeCommand(rollCommand, namespace);
    await eventually("the pods of before to be gone", () => areGone(namespace, before), 180_000);
    const history = await load.stop();

    expect(findTroubled(history)).toEqual([]);
    expect(await findKeysWithoutOneJob(installation, history)).toEqual({});
    await wake(installation);
    expect(await hasDebugLines(namespace)).toBe(true);
  });

  test.skipIf(!canCrash)("while a process is killed under load, no key gets two Jobs and none is without", async () => {
    await expectOneJobEach(
      await loadWhile(async (pod) => {
        await crash(pod);
        await eventually("the process to be a new one", () => isReplaced(installation.namespace, pod));
      }),
    );
  });

  test("while a pod is deleted without grace under load, no key gets two Jobs and none is without", async () => {
    const { namespace } = installation;
    await expectOneJobEach(
      await loadWhile(async (pod) => {
        await deletePod(namespace, pod, 0);
        await untilEnded(namespace, pod);
      }),
    );
  });

  test("while a pod is deleted under load, every request is answered 200", async () => {
    const { namespace } = installation;
    const history = await loadWhile(async (pod) => {
      await deletePod(namespace, pod);
      await untilEnded(namespace, pod);
    });
    expect(findTroubled(history)).toEqual([]);
    await expectOneJobEach(history);
  });

  /** What a load met while a pod that served it came to its end, and for some triggers more. */
  async function loadWhile(end: (pod: Pod) => Promise<void>): Promise<Attempted[]> {
    const pod = await wake(installation);
    const load = startLoad(installation);
    await eventually("the load to be under way", async () => load.history.length > 20);
    await end(pod);
    const count = load.history.length;
    await eventually("the load to go on", async () => load.history.length > count + 40);
    return load.stop();
  }

  /** Expects nothing that a caller may not meet, an answer to every trigger in the end, and one Job for each key. */
  async function expectOneJobEach(history: Attempted[]): Promise<void> {
    const odd = findTroubled(history).flatMap(({ results }) => results.filter((result) => result !== 200));
    expect(odd.filter((result) => !passing.includes(result))).toEqual([]);
    expect(history.filter(({ results }) => results.at(-1) !== 200)).toEqual([]);
    expect(await findKeysWithoutOneJob(installation, history)).toEqual({});
  }
}

/** Whether none of these pods runs any more; Knative's drain keeps them for half a minute after they were told to end. */
async function areGone(namespace: string, before: Pod[]): Promise<boolean> {
  const left = await listFunctionPods(namespace);
  return before.every(({ metadata: { uid } }) => left.every(({ metadata }) => metadata.uid !== uid));
}

/** Waits until a deleted pod is gone: from the API server, which forgets one without grace at once, and from its node. */
async function untilEnded(namespace: string, pod: Pod): Promise<void> {
  await eventually(`pod ${pod.metadata.name} to be gone`, () => areGone(namespace, [pod]), 180_000);
  await eventually(`pod ${pod.metadata.name} to be silent`, () => isSilent(pod));
}

/** Whether the pod is gone, or its container was started again and is ready. */
async function isReplaced(namespace: string, before: Pod): Promise<boolean> {
  const pod = (await listFunctionPods(namespace)).find(({ metadata: { uid } }) => uid === before.metadata.uid);
  const restartsOf = ({ status }: Pod) => (status.containerStatuses ?? []).map(({ restartCount }) => restartCount);
  if (!pod) return true;
  const isReady = pod.status.containerStatuses?.every(({ ready }) => ready) ?? false;
  return isReady && restartsOf(pod).join() !== restartsOf(before).join();
}

/** Whether the function logs what only LOG_LEVEL=debug shows: its probes. */
async function hasDebugLines(namespace: string): Promise<boolean> {
  return (await readFunctionLog(namespace)).some(({ level }) => level === "debug");
}
