import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { JsonObject } from "../../functions/core/json.ts";
import { readProblem } from "../support/answers.ts";
import { idleCronJob } from "../support/cronjobs.ts";
import { type FunctionProcess, startFunction } from "../support/function-process.ts";
import { listJobs, metadataOf } from "../support/jobs.ts";
import { openTarget, type Target } from "../support/target.ts";

let target: Target;
let namespace: string;
let fn: FunctionProcess;
let tokens: string;
const staticToken = "a-static-token-of-the-test";

beforeAll(async () => {
  target = await openTarget("auth");
  namespace = await target.createNamespace("auth");
  await target.seedCronJob(namespace, idleCronJob("sync"));
  for (const name of ["page", "stranger"]) {
    const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name } };
    await target.api.expect("POST", `/api/v1/namespaces/${namespace}/serviceaccounts`, account);
  }
  tokens = await mkdtemp(join(tmpdir(), "sync-trigger-auth-"));
  await writeFile(join(tokens, "script"), staticToken);
  const page = `system:serviceaccount:${namespace}:page`;
  fn = await startFunction({
    ...(await target.env()),
    CRONJOB_NAME: "sync",
    CRONJOB_NAMESPACE: namespace,
    AUTH_MODE: "token,jwt",
    AUTH_TOKEN_DIRECTORY: tokens,
    AUTH_TRIGGER_SUBJECTS: `${page}, token:script`,
    AUTH_READ_SUBJECTS: page,
  });
});

afterAll(async () => {
  await fn?.stop();
  await rm(tokens, { recursive: true, force: true });
  await target?.close();
});

/** A real token of a ServiceAccount, as a projected volume would hold it. */
async function tokenOf(account: string, audience: string): Promise<string> {
  const request = {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: { audiences: [audience], expirationSeconds: 600 },
  };
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`;
  const { status } = await target.api.expect("POST", path, request);
  return (status as { token: string }).token;
}

const trigger = (authorization?: string, path = "/trigger-sync") =>
  fetch(fn.url + path, { method: "POST", headers: authorization === undefined ? {} : { authorization } });

describe("with AUTH_MODE token,jwt and the API server's own tokens", () => {
  test("a listed ServiceAccount gets in, and the Job says who asked", async () => {
    const answer = await trigger(`Bearer ${await tokenOf("page", "sync-trigger")}`);
    expect(answer.status).toBe(200);
    const { job } = (await answer.json()) as { job: { name: string } };
    const stored = (await listJobs(target.api, namespace)).find((found) => metadataOf(found).name === job.name);
    expect(metadataOf(stored as JsonObject).annotations["sync-trigger.internal/requested-by"]).toBe(
      `system:serviceaccount:${namespace}:page`,
    );
  });

  test("a listed static token gets in", async () => {
    expect((await trigger(`Bearer ${staticToken}`)).status).toBe(200);
  });

  const refusals: [what: string, authorization: () => string | undefined | Promise<string>, status: number][] = [
    ["no header", () => undefined, 401],
    ["a wrong token", () => "Bearer wrong-token-wrong-token", 401],
    [
      "a ServiceAccount's token for the API server",
      async () => `Bearer ${await tokenOf("page", "https://kubernetes.default.svc")}`,
      401,
    ],
    ["a ServiceAccount that is not listed", async () => `Bearer ${await tokenOf("stranger", "sync-trigger")}`, 403],
    ["another scheme", () => "Basic cGFnZTpwYWdl", 400],
    ["no token", () => "Bearer", 401],
    ["two tokens", () => "Bearer a b", 400],
  ];

  test.each(refusals)("%s is refused", async (_what, authorization, status) => {
    const before = (await listJobs(target.api, namespace)).length;
    const answer = await trigger(await authorization());
    expect(answer.status).toBe(status);
    expect(answer.headers.get("www-authenticate")).toBe(status === 401 ? 'Bearer realm="sync-trigger"' : null);
    expect(await listJobs(target.api, namespace)).toHaveLength(before);
  });

  test("who may trigger may not read unless listed for it; unknown paths are closed too, probes are open", async () => {
    const read = (path: string, token: string) =>
      fetch(fn.url + path, { headers: token ? { authorization: `Bearer ${token}` } : {} });
    const page = await tokenOf("page", "sync-trigger");
    expect((await read("/jobs/none", staticToken)).status).toBe(403);
    expect((await readProblem(await read("/jobs/none", page))).status).toBe(404);
    for (const path of ["/metrics", "/openapi.json", "/nothing"]) expect((await read(path, "")).status).toBe(401);
    expect((await read("/health/readiness", "")).status).toBe(200);
  });

  test("no token shows up in the log", async () => {
    const token = await tokenOf("stranger", "sync-trigger");
    await trigger(`Bearer ${token}`);
    expect(fn.log.filter(({ msg }) => msg === "request").length).toBeGreaterThan(3);
    expect(fn.output()).not.toContain(token.split(".")[2]);
    expect(fn.output()).not.toContain(staticToken);
  });
});
