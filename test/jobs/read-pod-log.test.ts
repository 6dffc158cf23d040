import { Readable } from "node:stream";
import { expect, it } from "vitest";
import { parseStampNs } from "../../functions/core/log-stamp.ts";
import type { Pod } from "../../functions/core/workload.ts";
import type { LogPosition } from "../../functions/jobs/log-request.ts";
import { readPodLog } from "../../functions/jobs/read-pod-log.ts";

const metadata = {
  name: "p",
  namespace: "n",
  uid: "u",
  resourceVersion: "1",
  creationTimestamp: "2026-11-23T21:00:00Z",
};
const pod = (phase: string): Pod => ({ metadata, spec: { containers: [{ name: "c" }] }, status: { phase } });
const never = new AbortController().signal;

/** Reads a followed log of these answers in turn, the last one of a pod that has ended; gives the text and the queries. */
async function follow(tailLines: number, answers: string[]) {
  const queries: object[] = [];
  const position: LogPosition = {};
  const cluster = {
    readLog: async (_pod: string, query: object) => {
      queries.push(query);
      return Readable.from([answers.shift() ?? ""].filter(Boolean).map((text) => Buffer.from(text)));
    },
  };
  const log = {
    ...{ pod: pod("Running"), container: "c", follow: true, tailLines, spareBytes: () => 1_000 },
    refresh: async () => pod(answers.length > 1 ? "Running" : "Succeeded"),
  };
  let text = "";
  for await (const chunk of readPodLog(cluster as never, log, position, never)) text += chunk.toString();
  return { text, queries, position };
}

it("what comes after an answer without a line is no tail: all of it is given", async () => {
  const stamp = "2026-11-23T21:00:01.000000001Z";
  const { text, queries } = await follow(2, ["", `${stamp} a\n${stamp} b\n${stamp} c\n`]);
  expect(queries).toEqual([{ container: "c", follow: true, tailLines: 2 }, { container: "c" }]);
  expect(text).toBe("a\nb\nc\n");
});

it("a tail of no lines begins now, and a second look goes on from there", async () => {
  const later = new Date(Date.now() + 5_000).toISOString();
  const { text, queries, position } = await follow(0, ["", `2026-11-23T21:00:01.000000001Z old\n${later} new\n`]);
  expect(queries).toMatchObject([{ sinceTime: expect.any(String) }, { sinceTime: expect.any(String) }]);
  expect(queries[0]).not.toHaveProperty("tailLines");
  expect([text, position.stamp && parseStampNs(position.stamp)]).toEqual(["new\n", parseStampNs(later)]);
});
