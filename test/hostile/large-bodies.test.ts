import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectTo, sendRaw, statusesOf } from "./support/raw-socket.ts";
import { expectGoodTrigger, memoryLimitBytes, startVictim, type Victim } from "./support/victim.ts";

let victim: Victim;
beforeAll(async () => {
  victim = await startVictim();
});
afterAll(() => victim?.stop());

const limitBytes = 65_536; // BODY_LIMIT_BYTES as it comes
const mebibyte = 1024 * 1024;
const head = (more: string) =>
  `POST /trigger-sync HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n${more}\r\n`;
const ofLength = (length: number) => Buffer.alloc(length, 0x20);

function chunked(length: number): Buffer {
  return Buffer.concat([Buffer.from(`${length.toString(16)}\r\n`), ofLength(length), Buffer.from("\r\n0\r\n\r\n")]);
}

const senders: [what: string, bytes: (length: number) => Buffer][] = [
  [
    "with its length said",
    (length) => Buffer.concat([Buffer.from(head(`Content-Length: ${length}\r\n`)), ofLength(length)]),
  ],
  ["in chunks", (length) => Buffer.concat([Buffer.from(head("Transfer-Encoding: chunked\r\n")), chunked(length)])],
];

/** Sends everything before it reads anything, as simple clients do, and gives what it then finds. */
async function sendThenRead(bytes: Buffer): Promise<string> {
  const socket = connectTo(victim.url);
  const text: Buffer[] = [];
  socket.pause();
  await new Promise<void>((resolve, reject) => socket.write(bytes, (error) => (error ? reject(error) : resolve())));
  socket.on("data", (chunk: Buffer) => text.push(chunk)).resume();
  await once(socket, "close");
  return Buffer.concat(text).toString("latin1");
}

describe.each(senders)("a body %s", (_what, bytes) => {
  test.each([limitBytes + 1, 2 * limitBytes, 10 * mebibyte])(
    "of %i bytes is refused with 413, which reaches a sender who reads at the end",
    async (length) => {
      const text = await sendThenRead(bytes(length));
      expect(statusesOf(text)).toEqual([413]);
      expect(text).toContain('"type":"urn:sync-trigger:body-too-large"');
      expect(text).toMatch(/^connection: close$/im);
    },
  );

  test("of just the limit is read", async () => {
    const text = (await sendRaw(victim.url, bytes(limitBytes), { until: (so) => statusesOf(so).length > 0 })).text;
    expect(statusesOf(text)).toEqual([400]); // spaces alone are no JSON
  });
});

test.each([
  ["of which nobody sends a byte", ofLength(0)],
  ["of which the sender has sent a part", ofLength(1_000)],
])("a body refused before it was read, %s, ends with its answer", async (_what, sent) => {
  const bytes = Buffer.concat([Buffer.from(head("Content-Encoding: gzip\r\nContent-Length: 5000000\r\n")), sent]);
  const answer = await sendRaw(victim.url, bytes, { until: (text) => statusesOf(text).length > 0 });
  expect(answer.statuses).toEqual([415]);
});

test("a sender who goes on for ever is left to itself", async () => {
  const socket = connectTo(victim.url);
  let text = "";
  let sentBytes = 0;
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  socket.on("error", () => undefined); // a reset, as it deserves
  const closed = new Promise((resolve) => socket.on("close", resolve));
  socket.write(head("Content-Length: 99999999999\r\n"));
  const send = () => {
    while (!socket.destroyed && socket.write(ofLength(65_536))) sentBytes += 65_536;
  };
  socket.on("drain", send);
  send();
  await closed;
  expect([[413], []], "a reset can overtake the answer").toContainEqual(statusesOf(text));
  expect(sentBytes).toBeLessThan(128 * mebibyte);
});

test("afterwards a good request works, in no more memory than the manifests give", async () => {
  await expectGoodTrigger(victim);
  expect(await victim.rssBytes()).toBeLessThan(memoryLimitBytes);
});
