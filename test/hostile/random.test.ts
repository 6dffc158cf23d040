import { randomBytes, randomInt } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sendRaw, statusesOf } from "./support/raw-socket.ts";
import { expectGoodTrigger, memoryLimitBytes, startVictim, type Victim } from "./support/victim.ts";
import { isWhole } from "./support/whole.ts";

const durationS = isWhole ? 60 : 5;
const senderCount = 64; // many wait for an end that a spoiled request never has

let victim: Victim;
beforeAll(async () => {
  victim = await startVictim({ RECEIVE_TIMEOUT_MS: "500" });
});
afterAll(() => victim?.stop());

const good = [
  'POST /trigger-sync HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{"reason":"x"}',
  'POST /trigger-sync HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\ne\r\n{"reason":"x"}\r\n0\r\n\r\n',
  "POST / HTTP/1.1\r\nHost: h\r\nce-id: 1\r\nce-source: /s\r\nce-specversion: 1.0\r\nce-type: t\r\nContent-Length: 0\r\n\r\n",
  'GET /jobs/done?limit=1 HTTP/1.1\r\nHost: h\r\nPrefer: wait=1\r\nIdempotency-Key: "k"\r\n\r\n',
  "GET /jobs/done/logs?tailLines=1&sinceTime=2026-11-23T21:00:00Z HTTP/1.1\r\nHost: h\r\n\r\n",
];

type Mutation = (bytes: Buffer) => Buffer;
const at = (bytes: Buffer) => randomInt(bytes.length + 1);
const mutations: Mutation[] = [
  () => randomBytes(randomInt(1, 2_000)),
  (bytes) => bytes.subarray(0, at(bytes)),
  (bytes) => Buffer.concat([bytes.subarray(0, at(bytes)), bytes.subarray(at(bytes))]),
  (bytes) => {
    const copy = Buffer.from(bytes);
    for (let count = randomInt(1, 6); count > 0; count -= 1) copy[randomInt(copy.length)] = randomInt(256);
    return copy;
  },
  (bytes) => {
    const where = at(bytes);
    return Buffer.concat([bytes.subarray(0, where), randomBytes(randomInt(1, 64)), bytes.subarray(where)]);
  },
];

/** A request of ours, spoiled; or noise. Given back with what it came from, so that a failure can be looked at. */
function spoil(): Buffer {
  const bytes = Buffer.from(good[randomInt(good.length)] ?? "");
  return mutations[randomInt(mutations.length)]?.(bytes) ?? bytes;
}

test(`random bytes and spoiled requests for ${durationS} s get nothing worse than a refusal`, {
  timeout: (durationS + 60) * 1_000,
}, async () => {
  const endsAtMs = performance.now() + durationS * 1_000;
  const counts: Record<number, number> = {};
  let sent = 0;
  const bad: string[] = [];
  await Promise.all(
    Array.from({ length: senderCount }, async () => {
      while (performance.now() < endsAtMs) {
        const bytes = spoil();
        const options = { patienceMs: 3_000, until: (text: string) => statusesOf(text).length > 0 };
        const { statuses } = await sendRaw(victim.url, bytes, options);
        sent += 1;
        for (const status of statuses.length > 0 ? statuses : [0]) {
          counts[status] = (counts[status] ?? 0) + 1;
          if (status >= 500) bad.push(`${status}: ${bytes.toString("base64")}`);
        }
      }
    }),
  );
  expect(bad).toEqual([]);
  expect(counts[400]).toBeGreaterThan(0);
  await expectGoodTrigger(victim);
  expect(await victim.rssBytes()).toBeLessThan(memoryLimitBytes);
  console.log(`${sent} requests in ${durationS} s, answers by status (0: none): ${JSON.stringify(counts)}`);
});
