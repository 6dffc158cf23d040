import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sendRaw } from "./support/raw-socket.ts";
import { expectGoodTrigger, startVictim, type Victim } from "./support/victim.ts";

let victim: Victim;
beforeAll(async () => {
  victim = await startVictim({ RECEIVE_TIMEOUT_MS: "600" });
});
afterAll(() => victim?.stop());

const post = "POST /trigger-sync HTTP/1.1\r\nHost: h\r\n";
/** What an attacker wants to have taken for a request of its own. */
const smuggled = `POST /trigger-sync HTTP/1.1\r\nHost: h\r\nIdempotency-Key: smuggled\r\nContent-Length: 0\r\n\r\n`;
const chunked = `${post}Transfer-Encoding: chunked\r\n`;

/** Refused at the first byte that is wrong: one answer, the connection closed, nothing triggered. */
const refused: [what: string, bytes: string][] = [
  ["CL.TE", `${post}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`],
  ["TE.CL", `${chunked}Content-Length: 4\r\n\r\n5c\r\n${smuggled}`],
  ["CL.TE with CL 0", `${post}Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`],
  ["two Content-Lengths that differ", `${post}Content-Length: 0\r\nContent-Length: 9\r\n\r\n${smuggled}`],
  ["two Content-Lengths that agree", `${post}Content-Length: 0\r\nContent-Length: 0\r\n\r\n${smuggled}`],
  ...["0, 0", "+0", "-1", "0x0", "1e0", "", "0 0", "0;", "0,", "\t0\v", "18446744073709551616", "٠", "NaN"].map(
    (length): [string, string] => [
      `Content-Length: ${JSON.stringify(length)}`,
      `${post}Content-Length: ${length}\r\n\r\n${smuggled}`,
    ],
  ),
  ...[
    "chunked, chunked",
    "chunked, identity",
    "gzip",
    "identity",
    "xchunked",
    "chunkedx",
    "chunked;a=b",
    '"chunked"',
  ].map((coding): [string, string] => [
    `Transfer-Encoding: ${coding}`,
    `${post}Transfer-Encoding: ${coding}\r\n\r\n0\r\n\r\n${smuggled}`,
  ]),
  ...["\u000bchunked", "\u0000chunked", "chunked\u0000", "\r\n chunked", "\r\n\tchunked", "chu\r\n nked"].map(
    (coding): [string, string] => [
      `Transfer-Encoding: ${JSON.stringify(coding)}`,
      `${post}Transfer-Encoding: ${coding}\r\n\r\n0\r\n\r\n${smuggled}`,
    ],
  ),
  ["two Transfer-Encodings", `${chunked}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`],
  ["two Transfer-Encodings that differ", `${chunked}Transfer-Encoding: x\r\n\r\n0\r\n\r\n${smuggled}`],
  ["a space before the colon", `${post}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${smuggled}`],
  ["a space before the header", `${post} Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`],
  ["a header name with a NUL", `${post}Transfer-Encoding\u0000: chunked\r\n\r\n${smuggled}`],
  ["a header name with a tab", `${post}Transfer-Encoding\t: chunked\r\n\r\n${smuggled}`],
  ["a header without a colon", `${post}Transfer-Encoding\r\n\r\n${smuggled}`],
  ["an empty header name", `${post}: chunked\r\n\r\n${smuggled}`],
  ["a folded header", `${post}X-A: b\r\n c\r\n\r\n${smuggled}`],
  ["a folded header by a tab", `${post}X-A: b\r\n\tTransfer-Encoding: chunked\r\n\r\n${smuggled}`],
  ["LF alone behind the request line", `POST /trigger-sync HTTP/1.1\nHost: h\r\n\r\n${smuggled}`],
  ["LF alone behind a header", `${post}X-A: b\nTransfer-Encoding: chunked\r\n\r\n${smuggled}`],
  ["LF alone behind the headers", `${post}Content-Length: 0\r\n\n${smuggled}`],
  ["CR alone in a header", `${post}X-A: b\rTransfer-Encoding: chunked\r\n\r\n${smuggled}`],
  ["CR alone behind the headers", `${post}Content-Length: 0\r\n\r${smuggled}`],
  ["CR CR LF", `${post}X-A: b\r\r\n\r\n${smuggled}`],
  ["a NUL in a header", `${post}X-A: a\u0000b\r\n\r\n${smuggled}`],
  ["two Hosts", `${post}Host: i\r\nContent-Length: 0\r\n\r\n`],
  ["no Host", "POST /trigger-sync HTTP/1.1\r\nContent-Length: 0\r\n\r\n"],
  [
    "two Content-Types",
    `${post}Content-Type: application/json\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}`,
  ],
  ["two Idempotency-Keys", `${post}Idempotency-Key: a\r\nidempotency-key: b\r\nContent-Length: 0\r\n\r\n`],
  ["two Authorizations", `${post}Authorization: Bearer a\r\nAuthorization: Bearer b\r\nContent-Length: 0\r\n\r\n`],
  ["two versions", `POST /trigger-sync HTTP/1.1 HTTP/1.1\r\nHost: h\r\n\r\n`],
  ["HTTP/0.9", "POST /trigger-sync\r\n\r\n"],
  ["HTTP/2.0", `POST /trigger-sync HTTP/2.0\r\nHost: h\r\nContent-Length: 0\r\n\r\n`],
  ["HTTP/1.10", `POST /trigger-sync HTTP/1.10\r\nHost: h\r\n\r\n`],
  ["the preface of HTTP/2", `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${smuggled}`],
  ["TLS", "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003"],
  ["CONNECT", `CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n${smuggled}`],
  ["a method of no standard", `SMUGGLE / HTTP/1.1\r\nHost: h\r\n\r\n${smuggled}`],
  ["a space in the target", `POST /trigger sync HTTP/1.1\r\nHost: h\r\n\r\n${smuggled}`],
  ["a tab in the request line", `POST\t/trigger-sync\tHTTP/1.1\r\nHost: h\r\n\r\n${smuggled}`],
  ...[
    "Z",
    "-1",
    "+1",
    "0x1",
    "1 ",
    " 1",
    "1_0",
    "",
    "g",
    "10000000000000000",
    "ffffffffffffffff0",
    "1;\n",
    "1\n",
    "1\r",
    "\u00b9",
  ].map((size): [string, string] => [
    `a chunk's size ${JSON.stringify(size)}`,
    `${chunked}\r\n${size}\r\nx\r\n0\r\n\r\n${smuggled}`,
  ]),
  ["a chunk that is longer than its size", `${chunked}\r\n1\r\nxx\r\n0\r\n\r\n${smuggled}`],
  ["a chunk without its CR LF", `${chunked}\r\n1\r\nx0\r\n\r\n${smuggled}`],
  ["LF alone behind a chunk", `${chunked}\r\n1\r\nx\n0\r\n\r\n${smuggled}`],
  ["LF alone behind the last chunk", `${chunked}\r\n0\r\n\n${smuggled}`],
  ["CR alone in a chunk's extension", `${chunked}\r\n0;a\rb\r\n\r\n${smuggled}`],
  ["LF alone in a chunk's extension", `${chunked}\r\n0;a\nb\r\n\r\n${smuggled}`],
  ["20,000 bytes of a chunk's extension", `${chunked}\r\n1;${"a".repeat(20_000)}\r\nx\r\n0\r\n\r\n`],
  ["a trailer with a bare LF", `${chunked}\r\n0\r\nX: a\n\r\n${smuggled}`],
  ["3,400 trailers", `${chunked}\r\n0\r\n${"X: a\r\n".repeat(3_400)}\r\n`],
  ["20,000 bytes of trailers", `${chunked}\r\n0\r\nX: ${"a".repeat(20_000)}\r\n\r\n`],
  ["20,000 bytes of 20 headers", `${post}${`X: ${"a".repeat(1_000)}\r\n`.repeat(20)}\r\n`],
  ["20,000 bytes of one header", `${post}X: ${"a".repeat(20_000)}\r\n\r\n`],
  ["20,000 bytes of target", `POST /${"a".repeat(20_000)} HTTP/1.1\r\nHost: h\r\n\r\n`],
];

/** Taken as what they are: each with the answers it gets. */
const taken: [what: string, bytes: string, statuses: number[]][] = [
  ["two requests at once", `${post}Content-Length: 0\r\n\r\n${smuggled}`, [200, 200]],
  ["a chunk's extension", `${chunked}\r\n0;a=b;c="d\\"e"\r\n\r\n`, [200]],
  ["a trailer", `${chunked}Trailer: Idempotency-Key\r\n\r\n0\r\nIdempotency-Key: x\r\n\r\n`, [200]],
  ["empty lines before a request", `\r\n\r\n${post}Content-Length: 0\r\n\r\n`, [200]],
  [
    "a target that is a URL",
    "POST http://elsewhere/trigger-sync HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
    [200],
  ],
  [
    "a target that is a foreign URL",
    "POST gopher://h/trigger-sync HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
    [404],
  ],
  ["a target that is a broken URL", "GET http://[::1 HTTP/1.1\r\nHost: h\r\n\r\n", [405]],
  ["a target that is *", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", [404]],
  ["Transfer-Encoding: gzip, chunked", `${post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, [415]],
  ["an expectation that nobody knows", `${post}Expect: a-miracle\r\nContent-Length: 0\r\n\r\n`, [200]],
  ["two ce-ids", `${post}ce-specversion: 1.0\r\nce-source: /s\r\nce-type: t\r\nce-id: 1\r\nCE-ID: 2\r\n\r\n`, [400]],
  ["3,400 headers", `${post}${"X: a\r\n".repeat(3_400)}\r\n`, [431]],
  ["an upgrade", `${post}Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n`, [200]],
];

const triggers = () => victim.api.jobs.filter((job) => !job.includes("canary")).length;

describe("what a proxy in front of us could read otherwise is refused once, the connection closed", () => {
  test.each(refused)("%s", async (_what, bytes) => {
    const before = triggers();
    const answer = await sendRaw(victim.url, bytes);
    expect(answer.closed).toBe(true);
    expect(answer.statuses).toEqual([expect.toSatisfy((status) => status === 400 || status === 431 || status === 415)]);
    expect(answer.text).toContain("urn:sync-trigger:");
    expect(triggers() - before).toBe(0);
  });
});

describe("what is no trick is answered", () => {
  test.each(taken)("%s", async (_what, bytes, statuses) => {
    const before = triggers();
    const answer = await sendRaw(victim.url, bytes, { responses: statuses.length });
    expect(answer.statuses).toEqual(statuses);
    expect(triggers() - before).toBe(statuses.filter((status) => status === 200).length);
  });
});

test("garbage behind a request that waits for its answer never gets an answer that could be taken for that one's", async () => {
  victim.api.hold("POST");
  const answer = await sendRaw(victim.url, `${post}Content-Length: 0\r\n\r\n\u0000garbage`);
  victim.api.hold(undefined);
  expect(answer).toEqual({ text: "", statuses: [], closed: true });
});

test("afterwards a good request works", () => expectGoodTrigger(victim));
