import { execFileSync } from "node:child_process";
import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type FunctionProcess, startFunction } from "../support/function-process.ts";
import { type LogStub, startLogStub, stubLineBytes } from "../support/log-stub.ts";
import { smallHeap } from "../support/small-heap.ts";
import { openTarget, type Target } from "../support/target.ts";
import { until } from "../support/until.ts";

// What is looked at here is our side of a long log, so a stub gives it: a kubelet keeps the last 10 MiB of one.
const lines = 1_000_000;
const logBytes = lines * stubLineBytes;
const mebibyte = 1024 * 1024;

let target: Target;
let stub: LogStub;
let fn: FunctionProcess;

beforeAll(async () => {
  target = await openTarget("logs-size");
  stub = await startLogStub({ lines, cronJobName: "stub" });
  fn = await startFunction({
    ...(await target.env({ server: stub.url })),
    CRONJOB_NAME: "stub",
    CRONJOB_NAMESPACE: "stub",
    ...smallHeap,
  });
});

afterAll(async () => {
  await fn?.stop();
  await stub?.close();
  await target?.close();
});

const logUrl = () => `${fn.url}/jobs/big/logs`;

/** Resident memory of the function, bytes. */
const residentBytes = () =>
  1024 * Number(execFileSync("ps", ["-o", "rss=", "-p", String(fn.pid)], { encoding: "utf8" }));

/** Reads an answer to its end, as fast as it comes, and counts. */
async function drain(answer: Response, onPart: () => void = () => undefined): Promise<number> {
  let bytes = 0;
  for await (const part of answer.body ?? []) {
    bytes += (part as Uint8Array).length;
    onPart();
  }
  return bytes;
}

test(`a log of ${logBytes / 1e6} MB passes through whole, in less than 32 MiB of memory`, async () => {
  // The first one loads code and lets the heap find its size.
  await drain(await fetch(`${logUrl()}?tailLines=1`, { signal: AbortSignal.timeout(50_000) }));
  const before = residentBytes();
  let most = 0;
  let parts = 0;
  const bytes = await drain(await fetch(logUrl()), () => {
    parts += 1;
    if (parts % 50 === 0) most = Math.max(most, residentBytes());
  });
  expect(bytes).toBe(logBytes);
  expect(most).toBeGreaterThan(0);
  expect((most - before) / mebibyte).toBeLessThan(32);
});

test("a reader that stops reading holds back the log, not the memory, nor anybody else", async () => {
  const before = residentBytes();
  const sentBefore = stub.sentBytes();
  const slow = Array.from({ length: 5 }, () => {
    const socket = connect(Number(new URL(fn.url).port), "127.0.0.1");
    socket.write("GET /jobs/big/logs HTTP/1.1\r\nHost: x\r\n\r\n");
    return socket;
  });
  let sent = sentBefore;
  let stillSinceMs = performance.now();
  await until("all to be held back", () => {
    if (stub.sentBytes() !== sent) stillSinceMs = performance.now();
    sent = stub.sentBytes();
    return stub.open() === 5 && sent > sentBefore && performance.now() - stillSinceMs >= 500;
  });
  expect(stub.sentBytes() - sentBefore).toBeLessThan((5 * logBytes) / 2);
  expect(await drain(await fetch(logUrl()))).toBe(logBytes);
  expect((residentBytes() - before) / mebibyte).toBeLessThan(32);
  for (const socket of slow) socket.destroy();
  await until("the logs to be let go of", () => stub.open() === 0);
});

test("readers that vanish in the middle leave nothing behind", async () => {
  for (let round = 0; round < 20; round += 1) {
    const leaving = new AbortController();
    const answer = await fetch(logUrl(), { signal: leaving.signal });
    await answer.body?.getReader().read();
    leaving.abort();
  }
  await until("the logs to be let go of", () => stub.open() === 0);
  const lines = await until("a log line for each", () => {
    const left = fn.log.filter(({ clientLeft }) => clientLeft);
    return left.length >= 25 && left;
  });
  expect(new Set(lines.map(({ status }) => status))).toEqual(new Set([200]));
});

test("on SIGTERM a reader that does not read holds up the end for seconds, not for its log", async () => {
  const socket = connect(Number(new URL(fn.url).port), "127.0.0.1");
  socket.write("GET /jobs/big/logs HTTP/1.1\r\nHost: x\r\n\r\n");
  socket.on("error", () => undefined);
  await until("the log to be open", () => stub.open() === 1);
  fn.signal("SIGTERM");
  expect(await fn.exited).toBe(0);
  expect(fn.log.at(-1)).toMatchObject({ msg: "stopped", answeredAll: true });
  socket.destroy();
});
