import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import type { JsonObject } from "../../functions/core/json.ts";
import { requestInCluster } from "../cluster/cluster-http.ts";
import { kubectl } from "../support/kubectl.ts";
import { list, untilCondition } from "./support/cluster.ts";
import { eventually } from "./support/eventually.ts";
import { type Installation, install } from "./support/install.ts";
import { removeAfterwards } from "./support/keep-on-failure.ts";
import { readPage, whileForwarded } from "./support/page-session.ts";
import { untilZero, wake } from "./support/pods.ts";

/** Presses the button as a person would, by Streamlit's own AppTest, and tells how the run ended. */
const press = `
import time
from streamlit.testing.v1 import AppTest
page = AppTest.from_file("settings.py", default_timeout=30).run()
ends_at = time.monotonic() + 120
while page.button(key="sync").disabled and time.monotonic() < ends_at:  # until its first look has woken the function
    time.sleep(0.5)
    page.run()
page.button(key="sync").click().run()
while not page.success and not page.error and time.monotonic() < ends_at:
    time.sleep(1)
    page.run()
print(*[box.value for box in [*page.success, *page.error, *page.exception]], *[code.value for code in page.code], sep="\\n")
`;

let installation: Installation;
beforeAll(async () => {
  installation = await install({ overlay: "kraken", what: "page" });
  const deployment = `/apis/apps/v1/namespaces/${installation.namespace}/deployments/settings-page`;
  await untilCondition(deployment, "Available");
  // The nodes learn of a Service's new pod a moment after the Deployment does.
  await eventually("the page's Service to lead to its pod", () =>
    requestInCluster(pageUrl()).then(Boolean, () => false),
  );
});
removeAfterwards(() => [installation]);

const pageUrl = () => `http://settings-page.${installation.namespace}.svc.cluster.local`;
const inPage = (...command: string[]) =>
  kubectl("--namespace", installation.namespace, "exec", "deployment/settings-page", "--", ...command);

test("the page's own image runs with a read-only root and serves the page at its Service", async () => {
  const { status, body } = await requestInCluster(pageUrl());
  expect([status, body]).toEqual([200, expect.stringContaining("<title>Streamlit</title>")]);
  await expect(inPage("touch", "/tmp/x")).rejects.toThrow("Read-only file system");
  const log = await kubectl("--namespace", installation.namespace, "logs", "deployment/settings-page");
  expect(log).toContain("http://localhost:8501");
  expect(log, "it asks nobody on the internet for its address").not.toContain("external IP");
});

test("README's port-forward shows the page, its script run in the pod and the function's answer in it", async () => {
  const [, command = ""] = /`(kubectl -n kraken port-forward [^`]+)`/.exec(readFileSync("README.md", "utf8")) ?? [];
  // The page waits for some seconds; a cold start on a busy machine can take longer.
  await wake(installation);
  await whileForwarded(command.replace("-n kraken", `-n ${installation.namespace}`), async () => {
    const sent = await readPage("http://localhost:8501", ["Manual sync", "Sync now", "There is no run to show yet."]);
    expect(sent).not.toContain("does not answer");
  });
});

test("its button, pressed in the pod, wakes the function from zero and runs the sync to its end: one Job", async () => {
  await untilZero(installation.namespace);
  const said = await inPage("env", "TMPDIR=/dev/shm", "python3", "-c", press);
  expect(said).toMatch(/^\*\*The sync succeeded\*\* in \d+ s\.$/m);
  expect(said).toContain("kraken-sync: done");
  const jobs = await list(`/apis/batch/v1/namespaces/${installation.namespace}/jobs`);
  expect(jobs.map(({ metadata }) => (metadata as { annotations: JsonObject }).annotations)).toEqual([
    expect.objectContaining({ "sync-trigger.internal/reason": "Settings page", "sync-trigger.internal/via": "http" }),
  ]);
});
