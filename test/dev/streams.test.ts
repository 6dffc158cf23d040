import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { EmbeddedOptions } from "../../dev/embedded-cluster.ts";
import type { JsonObject } from "../../functions/core/json.ts";
import { at, lease } from "./calls/step.ts";
import { endedAs, jobsPath, openCluster, podsOf, podsPath, type TestCluster } from "./cluster.ts";
import { linesOf } from "./lines.ts";

// Long enough for a machine that does other things too.

const leases = "/apis/coordination.k8s.io/v1/namespaces/n/leases";

async function openNamespace(options?: EmbeddedOptions): Promise<TestCluster> {
  const cluster = await openCluster(options);
  await cluster.call("POST", "/api/v1/namespaces", { metadata: { name: "n" } });
  return cluster;
}

const next = async (lines: AsyncGenerator<string>) => JSON.parse(String((await lines.next()).value)) as JsonObject;

describe("a watch", () => {
  test("shows a change as it happens", async () => {
    const cluster = await openNamespace();
    const lines = linesOf(await fetch(`${cluster.url}${leases}?watch=true`));
    for (const name of ["a", "b"]) {
      await cluster.call("POST", leases, lease(name));
      expect(await next(lines)).toMatchObject({ type: "ADDED", object: { kind: "Lease", metadata: { name } } });
    }
    await lines.return(undefined);
  });

  test("of too old a version says so and ends", async () => {
    const cluster = await openNamespace({ rememberedChanges: 3 });
    for (const name of ["a", "b", "c", "d"]) await cluster.call("POST", leases, lease(name));
    const list = await cluster.call("GET", leases);
    const newest = Number(at(list.body, "metadata.resourceVersion"));
    const from = (version: number) =>
      fetch(`${cluster.url}${leases}?watch=true&timeoutSeconds=1&resourceVersion=${version}`);
    expect((await (await from(newest - 3)).text()).match(/ADDED/g)).toHaveLength(3);
    const expired = JSON.parse(await (await from(newest - 4)).text()) as JsonObject;
    expect(expired).toMatchObject({ type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired" } });
  });

  test("ends when the cluster closes", async () => {
    const cluster = await openNamespace();
    const lines = linesOf(await fetch(`${cluster.url}${leases}?watch=true`));
    const ended = lines.next().then(
      ({ done }) => done,
      () => true,
    );
    await cluster.close();
    expect(await ended).toBe(true);
  });
});

describe("a followed log", () => {
  test("gives a line before the next one is written, and ends with the container", async () => {
    const directory = await mkdtemp(join(tmpdir(), "streams-"));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const cluster = await openCluster({ images: { "dev.local/shell:1": directory } });
    // It says "two" only after somebody has read "one" and told it so.
    await cluster.run("talks", "echo one; while [ ! -e told ]; do sleep 0.02; done; echo two", {});
    await cluster.until(podsOf("talks"), (body) => at(body, "items.0.status.phase") === "Running");
    const { body } = await cluster.call("GET", podsOf("talks"));
    const path = `${podsPath}/${at(body, "items.0.metadata.name")}/log?follow=true`;
    const lines = linesOf(await fetch(cluster.url + path));
    expect((await lines.next()).value).toBe("one");
    await writeFile(join(directory, "told"), "");
    expect((await lines.next()).value).toBe("two");
    expect((await lines.next()).done).toBe(true);
    await cluster.until(`${jobsPath}/talks`, endedAs("Complete"));
  });

  test("of many megabytes arrives whole", async () => {
    const cluster = await openCluster();
    await cluster.run("loud", "seq -f 'line %.0f is made of quite a few characters, as lines of logs are' 200000");
    await cluster.until(podsOf("loud"), (body) => at(body, "items.0.status.phase") !== "Pending");
    const { body } = await cluster.call("GET", podsOf("loud"));
    const path = `${podsPath}/${at(body, "items.0.metadata.name")}/log?follow=true`;
    let count = 0;
    for await (const line of linesOf(await fetch(cluster.url + path))) {
      count += 1;
      if (!line.startsWith(`line ${count} `)) throw new Error(`line ${count} is ${JSON.stringify(line)}`);
    }
    expect(count).toBe(200_000);
  }, 60_000);
});
