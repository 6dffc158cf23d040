import { describe, expect, it } from "vitest";
import { logQuerySchema, toResumeQuery } from "../../functions/jobs/log-request.ts";

const t1 = "2026-11-23T21:00:00.000000001Z";
const t2 = "2026-11-23T21:00:00.000000002Z";

describe("the query that goes on where an answer ended", () => {
  it.each([
    ["behind the last line", "follow=true", { pod: "a", stamp: t2 }, `follow=true&pod=a&sinceTime=${t2}`],
    ["not followed", "", { pod: "a", stamp: t2 }, `pod=a&sinceTime=${t2}`],
    ["behind a tail", "tailLines=5", { pod: "a", stamp: t2 }, `pod=a&sinceTime=${t2}`],
    ["before the first line of a tail, of which there was none", "tailLines=5", { pod: "a" }, "pod=a"],
    ["before any pod for a tail", "tailLines=5", {}, "tailLines=5"],
    ["before any pod", "follow=1", {}, "follow=true"],
    ["another container", "container=c", { pod: "a", stamp: t2 }, `pod=a&container=c&sinceTime=${t2}`],
    ["in a later pod", "", { pod: "b", stamp: t2 }, `pod=b&sinceTime=${t2}`],
    ["at the start of a second pod", `sinceTime=${t1}`, { pod: "b" }, `pod=b&sinceTime=${t1}`],
    ["at the start of the pod behind the one that the time is of", `pod=a&sinceTime=${t1}`, { pod: "b" }, "pod=b"],
    ["behind pods that were read before it", "", { pod: "a", without: ["c", "d"] }, "pod=a&without=c,d"],
    ["before pods that had not started", "", { pod: "b", without: [], stamp: t2 }, `pod=b&without=&sinceTime=${t2}`],
    ["before the pod that it began with", "pod=a&without=c", {}, "pod=a&without=c"],
    ["when the pod was gone", `pod=a&sinceTime=${t1}`, { isPodGone: true }, `sinceTime=${t1}`],
    [
      "in another pod when it was gone",
      `pod=a&sinceTime=${t1}`,
      { isPodGone: true, pod: "b" },
      `pod=b&sinceTime=${t1}`,
    ],
    ["still at the start of that one", `pod=a&sinceTime=${t1}`, { pod: "a" }, `pod=a&sinceTime=${t1}`],
  ])("%s", (_what, query, position, expected) => {
    const request = logQuerySchema.parse(Object.fromEntries(new URLSearchParams(query)));
    expect(toResumeQuery(request, position)).toBe(expected);
  });
});
