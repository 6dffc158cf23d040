import { beforeAll, expect, test } from "vitest";
import { api } from "./support/cluster.ts";
import { eventually } from "./support/eventually.ts";
import { type Installation, install } from "./support/install.ts";
import { removeAfterwards } from "./support/keep-on-failure.ts";
import { listLivePods } from "./support/pods.ts";

let plain: Installation;
beforeAll(async () => {
  plain = await install({ overlay: "plain-kubernetes", what: "eviction" });
});
removeAfterwards(() => [plain]);

/** What a drain of its node does to a pod; gives the answer's status. */
async function evict(name: string): Promise<number> {
  const metadata = { name, namespace: plain.namespace };
  const path = `/api/v1/namespaces/${plain.namespace}/pods/${name}/eviction`;
  return (await api.call("POST", path, { apiVersion: "policy/v1", kind: "Eviction", metadata })).status;
}

test("overlays/plain-kubernetes: a drain takes one pod, and the other only when a new one answers", async () => {
  const path = `/apis/policy/v1/namespaces/${plain.namespace}/poddisruptionbudgets/sync-trigger`;
  const isKnown = async () =>
    ((await api.expect("GET", path)) as { status: { disruptionsAllowed: number } }).status.disruptionsAllowed > 0;
  await eventually("the budget to know its pods", isKnown);
  const [first, second] = (await listLivePods(plain.namespace)).map(({ metadata }) => metadata.name);
  expect([await evict(first ?? ""), await evict(second ?? "")]).toEqual([201, 429]);
  await eventually("the second pod to be let go", async () => (await evict(second ?? "")) === 201);
});
