import { KubeConfig } from "@kubernetes/client-node";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { startEmbeddedCluster } from "../../dev/embedded-cluster.ts";
import { at } from "./calls/step.ts";
import { cronJobsPath, jobOf, jobsPath, openCluster, shellCronJob } from "./cluster.ts";

// Long enough for a machine that does other things too.

test("its kubeconfig leads client-node to it, in the namespace asked for", async () => {
  const cluster = await openCluster();
  const config = new KubeConfig();
  config.loadFromString(cluster.kubeconfig("kraken"));
  expect(config.getCurrentCluster()).toMatchObject({ server: cluster.url, skipTLSVerify: true });
  expect(config.getContextObject(config.currentContext)?.namespace).toBe("kraken");
});

test("it records the requests, and forgets them when told to", async () => {
  const cluster = await openCluster();
  await cluster.call("GET", "/version");
  await cluster.call("GET", `${jobsPath}?limit=1`);
  const requests = [
    { method: "GET", path: "/version" },
    { method: "GET", path: `${jobsPath}?limit=1` },
  ];
  expect(cluster.requests).toEqual(requests);
  cluster.resetRequests();
  expect(cluster.requests).toEqual([]);
});

describe("what it does not model", () => {
  test("is answered 501 with the method and the path, and told to who listens", async () => {
    const told: string[] = [];
    const cluster = await openCluster({ onUnmodelled: (method, path) => told.push(`${method} ${path}`) });
    const path = "/api/v1/namespaces/n/secrets/s";
    const { status, body } = await cluster.call("GET", path);
    expect(status).toBe(501);
    expect(body).toMatchObject({ kind: "Status", status: "Failure", reason: "NotImplemented", code: 501 });
    expect(body.message).toContain(`(GET ${path})`);
    expect(told).toEqual([`GET ${path}`]);
  });

  test("is printed once where nobody listens", async () => {
    const write = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    onTestFinished(() => write.mockRestore());
    const cluster = await openCluster();
    for (const path of ["/apis", "/apis", "/api"]) await cluster.call("GET", path);
    expect(write.mock.calls.map(([text]) => text)).toEqual([
      "embedded cluster: not modelled: GET /apis\n",
      "embedded cluster: not modelled: GET /api\n",
    ]);
  });
});

test("200 posts of one name make one Job", async () => {
  const cluster = await openCluster();
  const seeded = await cluster.seedCronJob(shellCronJob("a", "true"));
  const answers = await Promise.all(
    Array.from({ length: 200 }, () => cluster.call("POST", jobsPath, jobOf(seeded, "one"))),
  );
  const count = (status: number) => answers.filter((answer) => answer.status === status).length;
  expect([count(201), count(409)]).toEqual([1, 199]);
});

test("of 50 swaps of one version of a Lease one succeeds", async () => {
  const cluster = await openCluster();
  await cluster.call("POST", "/api/v1/namespaces", { metadata: { name: "n" } });
  const leases = "/apis/coordination.k8s.io/v1/namespaces/n/leases";
  const { body } = await cluster.call("POST", leases, { metadata: { name: "lock" } });
  const swap = (i: number) => cluster.call("PUT", `${leases}/lock`, { ...body, spec: { holderIdentity: `h${i}` } });
  const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => swap(i)));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(49);
});

test("a whole number beyond 2^53 keeps its digits", async () => {
  const cluster = await openCluster();
  await cluster.seedCronJob(shellCronJob("a", "true"));
  const text = '{"spec":{"startingDeadlineSeconds":9007199254740993}}';
  await cluster.call("PATCH", `${cronJobsPath}/a`, text, "application/merge-patch+json");
  expect(await cluster.text(`${cronJobsPath}/a`)).toContain('"startingDeadlineSeconds":9007199254740993');
});

test("it listens where it is told to, and says when it cannot", async () => {
  const first = await openCluster();
  const port = Number(new URL(first.url).port);
  await expect(startEmbeddedCluster({ port })).rejects.toThrow("EADDRINUSE");
  const { body } = await first.call("GET", "/version");
  expect(at(body, "gitVersion")).toBe("v1.36.3");
});
