import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hostileStrings } from "./support/hostile-strings.ts";
import { places } from "./support/places.ts";
import { type ClientAnswer, createRawClient, type RawClient } from "./support/raw-client.ts";
import { brokenLines, expectGoodTrigger, memoryLimitBytes, startVictim, type Victim } from "./support/victim.ts";
import { isWhole } from "./support/whole.ts";

const clientCount = 8;
/** A developer's run sends every eighth string in a place, so that each is sent in some. */
const stride = isWhole ? 1 : 8;
/** The strings for the place of that number. */
const stringsFor = (place: number) => hostileStrings.filter((_, index) => (index + place) % stride === 0);

let victim: Victim;
let clients: RawClient[];
let sent = 0;
beforeAll(async () => {
  // A request that waits for more of its body is closed sooner than the tests' patience ends.
  victim = await startVictim({ RECEIVE_TIMEOUT_MS: "2000", OVERLAP_POLICY: "allow" });
  clients = Array.from({ length: clientCount }, () => createRawClient(victim.url));
});
afterAll(async () => {
  for (const client of clients) client.close();
  await victim?.stop();
});

/** Sends each of the strings in a place, and gives its answer. */
async function sendAll(texts: string[], request: (text: string) => Buffer) {
  const answers: { text: string; answer: ClientAnswer }[] = [];
  const waiting = [...texts];
  await Promise.all(
    clients.map(async (client) => {
      for (let text = waiting.pop(); text !== undefined; text = waiting.pop()) {
        answers.push({ text, answer: await client.send(request(text), { isOneRequest: !/[\r\n]/.test(text) }) });
      }
    }),
  );
  sent += answers.length;
  return answers;
}

/** What is wrong with an answer to a hostile request; undefined when nothing is. */
function wrongWith({ status, head, body }: ClientAnswer): string | undefined {
  if (status >= 500 && status !== 503) return `status ${status}`;
  if (status === 503) return "status 503 with an API server that answers at once";
  if (/^x-injected|^x: y/im.test(head)) return "a header of the caller's making";
  if (head !== "" && !/^x-request-id: [A-Za-z0-9._:-]{1,128}$/im.test(head) && !/^connection: close$/im.test(head))
    return `no safe request id: ${head}`;
  if (status < 400) return undefined;
  if (!/^content-type: application\/problem\+json$/im.test(head)) return "an error that is no problem document";
  const { status: told, type } = JSON.parse(body || "{}");
  if (told !== status || !/^urn:sync-trigger:[a-z-]+$/.test(type)) return `a problem that is none: ${body}`;
  return undefined;
}

test("there are at least 500 hostile strings", () => {
  expect(hostileStrings.length).toBeGreaterThanOrEqual(500);
});

describe("each hostile string is answered, with nothing worse than a refusal", () => {
  test.each(places.map((place, number) => ({ ...place, number })))(
    "in $name",
    {
      timeout: 60_000,
    },
    async ({ name, request, number }) => {
      const texts = stringsFor(number).map(({ text }) => text);
      const answers = await sendAll(texts, request);
      const wrong = answers.flatMap(({ text, answer }) => {
        // A sender whose body never comes whole is left without an answer, and so is one who sends garbage behind a request.
        const mayBeSilent = /[\r\n]/.test(text) || /Content-Length/.test(name);
        const what = answer.status === 0 && !mayBeSilent ? "no answer" : wrongWith(answer);
        return what === undefined ? [] : [`${JSON.stringify(text.slice(0, 60))}: ${what}`];
      });
      expect(wrong.slice(0, 5)).toEqual([]);
      expect(answers).toHaveLength(texts.length);
    },
  );
});

describe("afterwards", () => {
  test(`every string was sent in ${isWhole ? "every" : "some"} place`, () => {
    expect(sent).toBeGreaterThanOrEqual(Math.floor((places.length * hostileStrings.length) / stride));
    console.log(`${sent} requests: ${hostileStrings.length} strings in ${places.length} places`);
  });

  test("nothing but names of Jobs reached a path of the API server", () => {
    const name = "[a-z0-9]([-a-z0-9.]*[a-z0-9])?";
    const known = new RegExp(
      `^(GET /apis/batch/v1/namespaces/n/(cronjobs/sync|jobs(/${name})?)|POST /apis/batch/v1/namespaces/n/jobs|GET /api/v1/namespaces/n/pods(/(running|done)-x/log)?)$`,
    );
    expect(victim.api.requests.length).toBeGreaterThan(1_000 / stride);
    expect([...new Set(victim.api.requests)].filter((line) => !known.test(line))).toEqual([]);
  });

  test("no Job but the CronJob's was posted", () => {
    const owners = victim.api.jobs
      .filter((job) => !job.includes("sync-trigger-canary"))
      .map((job) => {
        const { kind, metadata, spec } = JSON.parse(job);
        return [kind, metadata.ownerReferences[0].name, JSON.stringify(spec)].join(" ");
      });
    expect(new Set(owners).size).toBe(1);
  });

  test("the log has a line of JSON for each, in which nothing moves a cursor or ends a line", () => {
    const output = victim.output();
    expect(output.match(/"msg":"request"/g)?.length).toBeGreaterThanOrEqual(sent);
    expect(brokenLines(output).slice(0, 5)).toEqual([]);
    expect(output.replaceAll("\n", "").match(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)).toBeNull();
  });

  test("a good request works, in no more memory than the manifests give", async () => {
    await expectGoodTrigger(victim);
    expect(await victim.rssBytes()).toBeLessThan(memoryLimitBytes);
  });
});
