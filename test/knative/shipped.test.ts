import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { TriggerAnswer } from "../support/answers.ts";
import { jobEnd, jobLog } from "../support/jobs.ts";
import { callFromPod } from "./support/call-from-pod.ts";
import { api } from "./support/cluster.ts";
import { type Installation, installAsShipped } from "./support/install.ts";
import { listLivePods, runInFunction, untilPod, untilZero } from "./support/pods.ts";

let kraken: Installation;
let keep = false;

beforeAll(async () => {
  kraken = await installAsShipped();
});
beforeEach(({ onTestFailed }) => {
  onTestFailed(() => {
    keep = true;
  });
});
afterAll(async () => {
  if (!keep) await kraken?.remove();
});

describe("overlays/kraken as it is shipped", () => {
  test("from zero pods, a call from a pod creates a Job whose pod runs to its end", async () => {
    await untilZero("kraken");
    const answer = await callFromPod("kraken", "http://sync-trigger.kraken.svc.cluster.local/trigger-sync", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ reason: "a test" }),
    });
    expect(answer).toMatchObject({ status: 200 });
    const { outcome, job } = JSON.parse(answer.body) as TriggerAnswer;
    expect({ outcome, namespace: job.namespace }).toEqual({ outcome: "created", namespace: "kraken" });
    expect(await jobEnd(api, "kraken", job.name)).toBe("Complete");
    expect(await jobLog(api, "kraken", job.name)).toContain("kraken-sync: done");
  });

  test("the root file system of the function is read-only and stays so", async () => {
    const pod = await untilPod("kraken");
    const attempts = ["/written", "/app/main.mjs", "/tmp/written", "/home/written", "/dev/shm/../../written"];
    const script = `
      const { writeFileSync } = require("node:fs");
      const tell = (path) => { try { writeFileSync(path, ""); return "written"; } catch (error) { return error.code; } };
      console.log(JSON.stringify(${JSON.stringify(attempts)}.map(tell)));
    `;
    const codes = JSON.parse(await runInFunction("kraken", pod, script)) as string[];
    expect(codes.filter((code) => !["EROFS", "ENOENT", "EACCES"].includes(code))).toEqual([]);
    expect(codes[0]).toBe("EROFS");
  });

  test("is at zero pods again afterwards", async () => {
    await untilZero("kraken");
    expect(await listLivePods("kraken")).toEqual([]);
  });
});
