import { describe, expect, it } from "vitest";
import { couldBePodOf } from "../../functions/core/workload.ts";

const long = "a".repeat(57);

describe("a name that the Job controller could have given to a pod", () => {
  it.each([
    ["sync-m4k", "sync-m4k-x7k2p", true],
    ["sync-m4k", "sync-m4k-0-x7k2p", true], // of an indexed Job
    ["sync-5", "sync-5-x7k2p", true],
    [`${long}bcdefg`, `${long}bx7k2p`, true],
    [`${long}bcdefg`, `${long.slice(2)}-12-x7k2p`, false],
    [`${long}bcdefg`, `${long.slice(0, 54)}-12-x7k2p`, true],
    ["sync-m4k", "sync-m4k-x7k2", false],
    ["sync-m4k", "sync-m4k-x7k2pq", false],
    ["sync-m4k", "sync-m4l-x7k2p", false],
    ["sync-m4k", "x7k2p", false],
    ["sync-m4k", "", false],
  ])("of Job %s is %s: %s", (job, pod, could) => {
    expect(couldBePodOf(job, pod)).toBe(could);
  });
});
