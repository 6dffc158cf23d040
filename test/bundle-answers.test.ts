import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { bundle, cacheCode } from "../build.ts";
import { json, startApiStub } from "./support/api-stub.ts";
import { startFunction } from "./support/function-process.ts";
import { writeKubeconfig } from "./support/kubeconfig.ts";

// What is left out of the bundle must not be missed: it answers as the sources do, on every route and in every mode.
const directory = mkdtempSync(join(tmpdir(), "sync-trigger-answers-"));
beforeAll(async () => {
  await bundle(directory);
  cacheCode(directory);
  writeFileSync(join(directory, "page"), "a-token-of-the-page");
});
afterAll(() => rmSync(directory, { recursive: true }));

const event = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t" };
const structured = { specversion: "1.0", id: "2", source: "/s", type: "internal.sync-trigger.requested.v1" };
const jsonType = { "content-type": "application/json" };

const calls: [what: string, path: string, request?: RequestInit][] = [
  ["a probe", "/health/liveness"],
  ["a trigger", "/trigger-sync", { method: "POST", headers: { "idempotency-key": "1" } }],
  ["a trigger with a body", "/trigger-sync", { method: "POST", headers: jsonType, body: '{"reason":"x"}' }],
  ["an unknown field", "/trigger-sync", { method: "POST", headers: jsonType, body: '{"reasons":"x"}' }],
  ["a wrong field", "/trigger-sync", { method: "POST", headers: jsonType, body: '{"ifOlderThan":"soon"}' }],
  ["an event", "/", { method: "POST", headers: event }],
  [
    "a structured event",
    "/",
    { method: "POST", headers: { "content-type": "application/cloudevents+json" }, body: JSON.stringify(structured) },
  ],
  ["a path without a route", "/nothing"],
  ["a broken path", "/jobs/%"],
  ["a wrong method", "/trigger-sync", { method: "PUT" }],
  ["HEAD", "/health/readiness", { method: "HEAD" }],
  ["the list of Jobs", "/jobs?limit=3"],
  ["a bad query", "/jobs?limit=x&y=1"],
  ["a Job", "/jobs/sync-1"],
  ["its log", "/jobs/sync-1/logs?tailLines=1"],
  ["the description", "/openapi.json"],
  ["metrics", "/metrics"],
];

const cronJob = {
  apiVersion: "batch/v1",
  kind: "CronJob",
  metadata: { name: "sync", namespace: "n", uid: "u-1", annotations: {} },
  spec: { schedule: "@daily", jobTemplate: { spec: { template: { spec: { containers: [] } } } } },
};

describe("the bundle answers as the sources do", () => {
  it.each<[what: string, env: Record<string, string>, headers: Record<string, string>]>([
    ["to everybody", {}, {}],
    ["events with events", { REPLY_EVENTS: "on" }, {}],
    [
      "to holders of a token",
      { AUTH_MODE: "token,jwt", AUTH_TOKEN_DIRECTORY: directory, AUTH_TRIGGER_SUBJECTS: "token:page" },
      { authorization: "Bearer a-token-of-the-page" },
    ],
    ["to a JWT that is none", { AUTH_MODE: "jwt" }, { authorization: "Bearer a.b.c" }],
  ])("%s", async (_what, env, headers) => {
    const stub = await startApiStub();
    stub.answer((response, request) => {
      if (request.method === "POST") return json(201, request.body)(response, request);
      if (request.path.startsWith("/openid")) return json(200, { keys: [] })(response, request);
      if (request.path.startsWith("/.well-known")) return json(200, { issuer: "i" })(response, request);
      return json(200, request.path.includes("/cronjobs/") ? cronJob : { items: [], metadata: {} })(response, request);
    });
    const settings = {
      ...{ CRONJOB_NAME: "sync", KUBECONFIG: writeKubeconfig({ cluster: { server: stub.server }, namespace: "n" }) },
      ...env,
    };
    const answers: unknown[][] = [];
    for (const entry of ["functions/main.ts", join(directory, "main.cjs")]) {
      const running = await startFunction(settings, { entry });
      onTestFinished(async () => void (await running.stop()));
      const of: unknown[] = [];
      for (const [what, path, request = {}] of calls) {
        const own = { ...(request.headers as Record<string, string>), ...headers };
        const answer = await fetch(running.url + path, { ...request, headers: own });
        of.push([what, answer.status, ...(await describeAnswer(answer))]);
      }
      answers.push(of);
    }
    expect(answers[0]).toHaveLength(calls.length);
    expect(answers[1]).toEqual(answers[0]);
  });
});

/** What two runs have in common: no times, no random names. */
async function describeAnswer(answer: Response): Promise<unknown[]> {
  const headers = [...answer.headers].filter(
    ([name]) => !["date", "x-request-id", "content-length", "ce-time"].includes(name),
  );
  const text = await answer.text();
  const known = (given: string) => given.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "ID").replace(/sync-m\w{10,}/g, "NAME");
  if (!answer.headers.get("content-type")?.startsWith("text/plain; version")) {
    return [known(text), known(JSON.stringify(headers))];
  }
  return [text.split("\n").filter((line) => line.startsWith("#"))];
}
