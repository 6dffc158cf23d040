import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { until } from "../support/until.ts";
import { connectTo } from "./support/raw-socket.ts";
import { expectGoodTrigger, startVictim, type Victim } from "./support/victim.ts";

const limit = 3;
let victim: Victim;
beforeAll(async () => {
  victim = await startVictim({ MAX_IN_FLIGHT: String(limit) });
});
afterAll(() => victim?.stop());
const leave = new AbortController();
afterEach(() => victim.api.hold(undefined));

const send = (path: string, init: RequestInit = {}) => fetch(victim.url + path, { signal: leave.signal, ...init });
const trigger = () => send("/trigger-sync", { method: "POST" });
const asked = (start: string) => victim.api.requests.filter((line) => line.startsWith(start)).length;

async function expectOverloaded(answer: Response): Promise<void> {
  expect(answer.status).toBe(503);
  expect(answer.headers.get("retry-after")).toBe("1");
  expect(await answer.json()).toMatchObject({ type: "urn:sync-trigger:overloaded", status: 503 });
}

test("one trigger above MAX_IN_FLIGHT is refused with 503 and Retry-After, and the others are answered", async () => {
  victim.api.hold("POST");
  const before = asked("POST");
  const pending = Array.from({ length: limit }, trigger);
  await until("the triggers to be at work", () => asked("POST") === before + limit);
  await expectOverloaded(await trigger());
  expect((await send("/jobs/done")).status, "reads have places of their own").toBe(200);
  expect((await send("/health/readiness")).status, "probes need none").toBe(200);
  victim.api.hold(undefined);
  expect((await Promise.all(pending)).map(({ status }) => status)).toEqual(Array(limit).fill(200));
  await expectGoodTrigger(victim);
});

test("one read above MAX_IN_FLIGHT is refused, and triggers go on", async () => {
  victim.api.hold("GET /apis/batch/v1/namespaces/n/jobs/gone");
  const pending = Array.from({ length: limit }, (_, index) => send(`/jobs/gone-${index}`));
  await until("the reads to be at work", () => asked("GET /apis/batch/v1/namespaces/n/jobs/gone-") === limit);
  await expectOverloaded(await send("/jobs/done"));
  await expectGoodTrigger(victim);
  victim.api.hold(undefined);
  expect((await Promise.all(pending)).map(({ status }) => status)).toEqual(Array(limit).fill(404));
});

test("waits and followed logs keep neither triggers nor other reads out, and are bounded themselves", async () => {
  const logs = await Promise.all(Array.from({ length: 2 }, () => send("/jobs/running/logs?follow=true")));
  const wait = send("/jobs/running", { headers: { prefer: "wait=25" } });
  wait.catch(() => undefined); // it ends with the test
  await until("the wait to be at work", () => asked("GET /apis/batch/v1/namespaces/n/jobs") > 0);
  await until("a place to be missing", async () => {
    const answer = await send("/jobs/running/logs");
    if (answer.status === 503) await expectOverloaded(answer);
    else await answer.body?.cancel();
    return answer.status === 503;
  });
  await expectGoodTrigger(victim);
  expect((await send("/jobs/done")).status).toBe(200);
  for (const log of logs) await log.body?.cancel();
  leave.abort();
  await until("the places to be free again", async () => {
    const answer = await fetch(`${victim.url}/jobs/done/logs`);
    await answer.arrayBuffer();
    return answer.status === 200;
  });
});

test("senders who are slow with their bodies have no place yet", async () => {
  // The policy canary's dry run may come at any time.
  const made = () => victim.api.jobs.filter((job) => !job.includes("canary")).length;
  const before = made();
  const sockets = Array.from({ length: 4 * limit }, () => {
    const socket = connectTo(victim.url);
    socket.write("POST /trigger-sync HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n ");
    return socket;
  });
  await expectGoodTrigger(victim);
  expect(made() - before).toBe(1);
  for (const socket of sockets) socket.destroy();
});
