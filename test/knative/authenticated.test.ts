import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { requestInCluster } from "../cluster/cluster-http.ts";
import { metadataOf } from "../support/jobs.ts";
import { type Caller, callAs } from "./support/call-as.ts";
import { api, list, mergePatch, untilCondition } from "./support/cluster.ts";
import { schedulePatch } from "./support/copy-overlay.ts";
import { requestedType } from "./support/events.ts";
import { eventually } from "./support/eventually.ts";
import { type Installation, install } from "./support/install.ts";
import { removeAfterwards } from "./support/keep-on-failure.ts";
import { brokerAudience, enableOidc, tokenOf } from "./support/oidc.ts";
import { readFunctionLog } from "./support/pods.ts";
import { schedulePing } from "./support/runs.ts";
import { syncCronJob } from "./support/sync-cronjob.ts";
import { createNamespace, toNamespaceName } from "./support/test-namespace.ts";

// The feature holds for the whole cluster and shuts the Brokers of other tests: this file runs alone.

const never = "0 0 29 2 *";
const eventing = "/apis/eventing.knative.dev/v1";
const audience = "sync-trigger";
/** Longer than until the next minute, with time for a busy node. */
const tickMs = 120_000;

let disable: (() => Promise<void>) | undefined;
let kraken: Installation;
const other = toNamespaceName("other");

beforeAll(async () => {
  disable = await enableOidc();
  kraken = await install({
    overlay: "kraken-authenticated",
    what: "authenticated",
    cronJob: syncCronJob({ isIdle: true }),
    patches: [schedulePatch(never)],
  });
  await createNamespace(api, other);
});
removeAfterwards(() => [kraken]);
afterAll(async () => {
  await disable?.();
  await api.call("DELETE", `/api/v1/namespaces/${other}`);
});

const pingSource = () =>
  `/apis/sources.knative.dev/v1/namespaces/${kraken.namespace}/pingsources/sync-trigger-fallback`;
const ownName = (name: string) => `system:serviceaccount:${kraken.namespace}:${name}`;

/** Who asked for each Job, as the function verified it. */
async function requesters(): Promise<(string | undefined)[]> {
  const jobs = await list(`/apis/batch/v1/namespaces/${kraken.namespace}/jobs`);
  return jobs.map((job) => metadataOf(job).annotations["sync-trigger.internal/requested-by"]);
}

/** Posts an event that asks for a run to a namespace's Broker. */
async function post(namespace: string, broker: string, id: string, token?: string): Promise<number> {
  const attributes = { "ce-specversion": "1.0", "ce-id": id, "ce-type": requestedType, "ce-source": "/tests" };
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const url = `http://broker-ingress.knative-eventing.svc.cluster.local/${namespace}/${broker}`;
  const headers = { ...attributes, ...authorization };
  return (await requestInCluster(url, { method: "POST", headers, timeoutMs: 120_000 })).status;
}

/** The same when it is sent again and again: a Trigger that is Ready may pass over events for a while. */
async function firstLineOf(id: string, send: () => Promise<void>) {
  return eventually(`the function's first line about event ${id}`, async () => {
    await send();
    return eventually("the event", () => findLineOf(id), 5_000);
  });
}

const findLineOf = async (id: string) =>
  (await readFunctionLog(kraken.namespace)).find(({ event }) => (event as { id?: string } | undefined)?.id === id);

describe("gets in:", () => {
  test("an event on the Broker, by the Trigger's own identity", async () => {
    const token = await tokenOf(kraken.namespace, "sender", await brokerAudience(kraken.namespace, "sync-trigger"));
    const send = async () => expect(await post(kraken.namespace, "sync-trigger", "with-token", token)).toBe(202);
    expect(await firstLineOf("with-token", send)).toMatchObject({
      outcome: "created",
      caller: ownName("sync-trigger-requested-oidc-eventing.knative.dev-trigger"),
    });
    expect(await requesters()).toContain(ownName("sync-trigger-requested-oidc-eventing.knative.dev-trigger"));
  });

  test("a PingSource's tick, by the Broker and its Trigger", async () => {
    // As shipped it would not run beside the Job that was just made, which never ends.
    await mergePatch(pingSource(), { spec: { data: "{}" } });
    await schedulePing(kraken, "* * * * *");
    const trigger = ownName("sync-trigger-ping-oidc-eventing.knative.dev-trigger");
    await eventually("the tick's Job", async () => (await requesters()).includes(trigger), tickMs);
  });

  test("a PingSource that calls us directly, by its own identity", async () => {
    const ref = { apiVersion: "serving.knative.dev/v1", kind: "Service", name: "sync-trigger" };
    await mergePatch(pingSource(), { spec: { sink: { ref, audience } } });
    const source = ownName("sync-trigger-fallback-oidc-sources.knative.dev-pingsource");
    await eventually("the tick's Job", async () => (await requesters()).includes(source), 2 * tickMs);
    await schedulePing(kraken, never);
  });

  test("the page, by its projected token: it triggers and it reads", async () => {
    const page = { serviceAccount: "settings-page", audience };
    const answer = await callAs(kraken.namespace, page, { url: `${kraken.url}/trigger-sync`, method: "POST" });
    expect(answer.status).toBe(200);
    expect(await requesters()).toContain(ownName("settings-page"));
    const jobs = await callAs(kraken.namespace, page, { url: `${kraken.url}/jobs`, method: "GET" });
    expect([jobs.status, JSON.parse(jobs.body).jobs.length]).toEqual([200, (await requesters()).length]);
  });
});

describe("does not get in:", () => {
  test.each<[what: string, caller: Caller, status: number]>([
    ["a pod without a token", { serviceAccount: "settings-page" }, 401],
    ["the page with a token for another audience", { serviceAccount: "settings-page", audience: "other" }, 401],
    ["another ServiceAccount with a token for us", { serviceAccount: "default", audience }, 403],
  ])("%s", async (_what, caller, status) => {
    const before = (await requesters()).length;
    for (const [method, path] of [
      ["POST", "/trigger-sync"],
      ["GET", "/jobs"],
    ] as const) {
      expect((await callAs(kraken.namespace, caller, { url: kraken.url + path, method })).status).toBe(status);
    }
    expect(await requesters()).toHaveLength(before);
  });

  test("an event without a token: the Broker refuses it", async () => {
    expect(await post(kraken.namespace, "sync-trigger", "without-token")).toBe(401);
  });

  test.each([
    ["with a token for us, and with the name of ours", "sync-trigger-requested", { audience }, 403],
    ["without a token", "without-audience", {}, 401],
  ])("another namespace's Trigger %s", async (_what, name, more, status) => {
    const broker = `broker-${name}`;
    await api.expect("POST", `${eventing}/namespaces/${other}/brokers`, {
      apiVersion: "eventing.knative.dev/v1",
      kind: "Broker",
      metadata: { name: broker },
    });
    await api.expect("POST", `${eventing}/namespaces/${other}/triggers`, {
      apiVersion: "eventing.knative.dev/v1",
      kind: "Trigger",
      metadata: { name },
      spec: { broker, subscriber: { uri: `${kraken.url}/`, ...more }, delivery: { retry: 0 } },
    });
    await untilCondition(`${eventing}/namespaces/${other}/triggers/${name}`, "Ready");
    const before = (await requesters()).length;
    const token = await tokenOf(other, "sender", await brokerAudience(other, broker));
    const findRefusal = async () =>
      (await readFunctionLog(kraken.namespace)).find((line) => line.status === status && line.path === "/");
    const refused = await eventually("the function's refusal", async () => {
      await post(other, broker, name, token);
      return eventually("the refusal", findRefusal, 5_000);
    });
    expect(refused.code).toBe(status === 403 ? "not-allowed" : "unauthenticated");
    if (status === 403) {
      const identity = `system:serviceaccount:${other}:${name}-oidc-eventing.knative.dev-trigger`;
      expect(refused.detail).toContain(identity);
    }
    expect(await requesters()).toHaveLength(before);
  });
});
