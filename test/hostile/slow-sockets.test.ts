import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../support/until.ts";
import { connectTo } from "./support/raw-socket.ts";
import { expectGoodTrigger, memoryLimitBytes, startVictim, type Victim } from "./support/victim.ts";
import { isWhole } from "./support/whole.ts";

const socketCount = isWhole ? 1_000 : 100;
const receiveTimeoutMs = 3_000;
const requestTimeoutS = 15; // the least there is
/** None of them would ever end by itself; how late they may be on a busy machine is no matter of the function's. */
const deadlineMs = 90_000;
const trickleMs = 1_000; // what a thousand of them cost the test itself would be taken for the function's slowness

let victim: Victim;
beforeAll(async () => {
  victim = await startVictim({
    RECEIVE_TIMEOUT_MS: String(receiveTimeoutMs),
    REQUEST_TIMEOUT_S: String(requestTimeoutS),
  });
});
afterAll(() => victim?.stop());

const post = "POST /trigger-sync HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n";
const stop = new AbortController();

type Slow = { kind: string; openedAtMs: number; closedAtMs?: number };
const slow: Slow[] = [];

/** Opens a connection, sends the start of a request and then a byte now and then. */
function trickle(kind: string, start: string, byte: string): void {
  const entry: Slow = { kind, openedAtMs: performance.now() };
  slow.push(entry);
  const socket = connectTo(victim.url);
  socket.on("error", () => undefined).resume();
  socket.write(start);
  const timer = setInterval(() => socket.write(byte), trickleMs);
  socket.on("close", () => {
    clearInterval(timer);
    entry.closedAtMs = performance.now();
  });
}

/** Asks for a log that pours without end, and reads nothing of it until it must have been closed. */
function readNothing(): void {
  const entry: Slow = { kind: "reader of a log", openedAtMs: performance.now() };
  slow.push(entry);
  const socket = connectTo(victim.url);
  socket.pause().on("error", () => undefined);
  socket.write("GET /jobs/running/logs?follow=true HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  // What the kernel kept for it is read then; a stream that is still open would go on for ever.
  setTimeout(() => socket.resume(), requestTimeoutS * 1_000).unref();
  socket.on("close", () => {
    entry.closedAtMs = performance.now();
  });
}

type Good = { sentAtMs: number; tookMs: number };

/** Sends good requests until told to stop, and gives when each was sent and how long it took. */
async function sendGood(path: string, init: RequestInit): Promise<Good[]> {
  const sent: Good[] = [];
  while (!stop.signal.aborted) {
    const startedAtMs = performance.now();
    const answer = await fetch(victim.url + path, { ...init, signal: AbortSignal.timeout(15_000) });
    await answer.arrayBuffer();
    if (answer.status !== 200) throw new Error(`${path} was answered ${answer.status}`);
    sent.push({ sentAtMs: startedAtMs, tookMs: performance.now() - startedAtMs });
    await pause(5);
  }
  return sent;
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** How long good requests took before there were slow sockets, and beside them, in words. */
function compare(what: string, sent: Good[], slowFromMs: number): string {
  const [beside = [], before = []] = [true, false].map((isLater) =>
    sent.filter(({ sentAtMs }) => sentAtMs >= slowFromMs === isLater).map(({ tookMs }) => tookMs),
  );
  expect(before.length, what).toBeGreaterThan(10);
  expect(beside.length, what).toBeGreaterThan(10);
  return `${what}: ${before.length} before ${median(before).toFixed(1)} ms, ${beside.length} beside ${median(beside).toFixed(1)} ms`;
}

test(`good requests go on beside ${socketCount} slow sockets, and each of those is closed in time`, {
  timeout: deadlineMs + 30_000,
}, async () => {
  const good = [
    sendGood("/trigger-sync", { method: "POST" }),
    sendGood("/jobs/running", {}),
    sendGood("/health/readiness", {}),
  ];
  for (const promise of good) promise.catch(() => undefined);
  await pause(isWhole ? 5_000 : 1_000); // what good requests take without the others
  const slowFromMs = performance.now();
  for (let index = 0; index < socketCount; index += 1) {
    if (index % 10 === 0)
      readNothing(); // each costs the 4 MB that the kernel takes before it shows
    else if (index % 2 === 0) trickle("headers", post, "X");
    else trickle("body", `${post}Content-Length: 60000\r\n\r\n`, " ");
  }
  await until(
    "all slow sockets to be closed",
    () => slow.every(({ closedAtMs }) => closedAtMs !== undefined),
    deadlineMs,
  );
  const rssBytes = await victim.rssBytes();
  stop.abort();
  const [triggers = [], looks = [], probes = []] = await Promise.all(good);

  expect(slow).toHaveLength(socketCount);
  expect(rssBytes).toBeLessThan(memoryLimitBytes);
  await expectGoodTrigger(victim);
  const lastedS = ["headers", "body", "reader of a log"].map((wanted) => {
    const lasted = slow.flatMap(({ kind, openedAtMs, closedAtMs = 0 }) =>
      kind === wanted ? [closedAtMs - openedAtMs] : [],
    );
    return `${wanted} ${(Math.max(...lasted) / 1_000).toFixed(1)} s`;
  });
  console.log(
    [
      `${socketCount} slow sockets, the longest: ${lastedS.join(", ")}; ${Math.round(rssBytes / 1e6)} MB`,
      compare("triggers", triggers, slowFromMs),
      compare("looks at a Job", looks, slowFromMs),
      compare("probes", probes, slowFromMs),
    ].join("\n"),
  );
});
