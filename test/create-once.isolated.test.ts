import { afterEach, describe, expect, it, vi } from "vitest";
import type { JsonObject } from "../functions/core/json.ts";
import { createOnce, recognise } from "../functions/create-once.ts";
import {
  alreadyExists,
  fails,
  fakeCluster,
  notFound,
  type Scripted,
  unanswered,
  unreachable,
} from "./support/fake-cluster.ts";
import { faultOf } from "./support/fault-of.ts";
import { pause, takePauses } from "./support/pauses.ts";

vi.mock("node:timers/promises", async () => ({ setTimeout: (await import("./support/pauses.ts")).pause }));
afterEach(() => {
  takePauses();
  pause.mockClear();
});

const annotation = (name: string) => `sync-trigger.internal/${name}`;

function job({ key = "k", request = "r", trace = "t1", owner = "u", controller = true } = {}): JsonObject {
  return {
    metadata: {
      name: "sync-m1",
      namespace: "n",
      annotations: {
        [annotation("key-digest")]: key,
        [annotation("request-digest")]: request,
        [annotation("traceparent")]: trace,
      },
      ownerReferences: [
        { uid: "other", controller: false },
        { uid: owner, controller },
      ],
    },
  };
}

/** A Job as the API server stored it. */
function stored(of: Parameters<typeof job>[0] = {}): JsonObject {
  const { metadata } = job(of) as { metadata: JsonObject };
  return { metadata: { ...metadata, uid: "job-uid", creationTimestamp: "2026-01-02T03:04:05Z" } };
}

const ref = { name: "sync-m1", namespace: "n", uid: "job-uid", createdAt: "2026-01-02T03:04:05Z" };
const live = new AbortController().signal;
const run = (createJob: Scripted[], getJob: Scripted[] = [], signal = live, isLate = () => false) => {
  const fake = fakeCluster({ createJob, getJob });
  return { ...fake, made: () => createOnce(fake.cluster, job(), signal, { isLate }) };
};

const quota = fails({ status: 409, reason: "Conflict" });
const tooMany = (retryAfterS: number) => fails({ status: 429, retryAfterS });
const broken = fails({ status: 500, mayHaveTakenEffect: true });
const lookUp = ["createJob", "getJob"];
const three = [...lookUp, ...lookUp, ...lookUp];

describe("createOnce succeeds", () => {
  it.each<
    [what: string, createJob: Scripted[], getJob: Scripted[], outcome: string, calls: string[], pauses: number[]]
  >([
    ["at once", [stored()], [], "created", ["createJob"], []],
    ["although the answer was lost: the Job is ours", [unanswered], [stored()], "created", lookUp, []],
    ["although it was a 500: the Job is ours", [broken], [stored()], "created", lookUp, []],
    ["as a duplicate of an earlier delivery", [alreadyExists], [stored({ trace: "t0" })], "duplicate", lookUp, []],
    [
      "as a duplicate where admission refuses",
      [fails({ status: 422 })],
      [stored({ trace: "t0" })],
      "duplicate",
      lookUp,
      [],
    ],
    [
      "as a duplicate where a right is gone",
      [fails({ status: 403 })],
      [stored({ trace: "t0" })],
      "duplicate",
      lookUp,
      [],
    ],
    ["as a duplicate where a quota is full", [quota], [stored({ trace: "t0" })], "duplicate", lookUp, []],
    [
      "at the second try after a quota's conflict",
      [quota, stored()],
      [notFound],
      "created",
      [...lookUp, "createJob"],
      [200],
    ],
    [
      "at the second try after a lost request",
      [unanswered, stored()],
      [notFound],
      "created",
      [...lookUp, "createJob"],
      [200],
    ],
    [
      "at the second try after a refused connection",
      [unreachable, stored()],
      [notFound],
      "created",
      [...lookUp, "createJob"],
      [200],
    ],
    [
      "at the second try after a pause that was asked for",
      [tooMany(2), stored()],
      [notFound],
      "created",
      [...lookUp, "createJob"],
      [2_000],
    ],
    [
      "at the third try",
      [broken, broken, stored()],
      [notFound],
      "created",
      [...lookUp, ...lookUp, "createJob"],
      [200, 400],
    ],
    [
      "by a create that came late: then it exists, and is ours",
      [unanswered, alreadyExists],
      [notFound, stored()],
      "created",
      [...lookUp, ...lookUp],
      [200],
    ],
  ])("%s", async (_what, createJob, getJob, outcome, calls, pauses) => {
    const { made, names } = run(createJob, getJob);
    expect(await made()).toEqual({ outcome, job: ref });
    expect(names()).toEqual(calls);
    expect(takePauses()).toEqual(pauses);
  });

  it("as a duplicate without uid and time when the Job was there and is gone", async () => {
    const { made, names } = run([alreadyExists], [notFound]);
    expect(await made()).toEqual({ outcome: "duplicate", job: { ...ref, uid: null, createdAt: null } });
    expect(names()).toEqual(lookUp);
  });

  it("looks up the very name that it tried to create, and sends the same Job each time", async () => {
    const { made, calls } = run([unanswered, stored()], [notFound]);
    await made();
    expect(calls).toEqual([
      ["createJob", job()],
      ["getJob", "sync-m1"],
      ["createJob", job()],
    ]);
  });
});

describe("createOnce gives up", () => {
  it.each<
    [what: string, createJob: Scripted[], getJob: Scripted[], code: string, calls: string[], retryAfter?: string]
  >([
    ["an invalid template", [fails({ status: 422, reason: "Invalid" })], [notFound], "api-refused", lookUp],
    ["a missing right", [fails({ status: 403 })], [notFound], "api-refused", lookUp],
    ["a namespace that is going", [fails({ status: 404 })], [notFound], "api-refused", lookUp],
    ["a malformed request", [fails({ status: 400 })], [notFound], "api-refused", lookUp],
    [
      "a 409 whose reason did not come, three times",
      [fails({ status: 409, reason: "" })],
      [notFound],
      "api-unavailable",
      three,
      "5",
    ],
    ["a quota's conflict, three times", [quota], [notFound], "quota-conflict", three, "5"],
    ["a refused connection, three times", [unreachable], [notFound], "api-unavailable", three, "5"],
    [
      "a 503, three times",
      [fails({ status: 503, mayHaveTakenEffect: true })],
      [notFound],
      "api-unavailable",
      three,
      "5",
    ],
    ["a 429 that asks for a long pause", [tooMany(17)], [notFound], "api-unavailable", lookUp, "17"],
    ["no answer, three times", [unanswered], [notFound], "outcome-unknown", three, "5"],
    [
      "no answer once, and then refused",
      [unanswered, fails({ status: 403 })],
      [notFound],
      "outcome-unknown",
      [...lookUp, ...lookUp],
      "5",
    ],
    ["no answer, and none to the look-up", [unanswered], [unreachable], "outcome-unknown", lookUp, "5"],
    ["a 500, and no answer to the look-up", [broken], [unreachable], "outcome-unknown", lookUp, "5"],
    ["a 500, and no right to look up", [broken], [fails({ status: 403 })], "outcome-unknown", lookUp, "5"],
    ["a refused connection twice over", [unreachable], [unreachable], "api-unavailable", lookUp, "5"],
    [
      "it exists, and the look-up fails",
      [alreadyExists],
      [fails({ status: 503, retryAfterS: 9 })],
      "api-unavailable",
      lookUp,
      "9",
    ],
    ["it exists, and may not be looked up", [alreadyExists], [fails({ status: 403 })], "api-refused", lookUp],
  ])("on %s", async (_what, createJob, getJob, code, calls, retryAfter) => {
    const { made, names } = run(createJob, getJob);
    const fault = await faultOf(made);
    expect({ code: fault.code, retryAfter: fault.headers["Retry-After"] }).toEqual({ code, retryAfter });
    expect(names()).toEqual(calls);
  });

  it.each([
    ["before the pause", 0],
    ["within the pause", 1],
  ])("when its time is over %s", async (_what, isWithin) => {
    const controller = new AbortController();
    const abort = () => {
      if (!isWithin) controller.abort();
      return notFound;
    };
    pause.mockImplementationOnce(async () => {
      controller.abort();
      throw controller.signal.reason;
    });
    const { made, names } = run([unanswered], [abort], controller.signal);
    expect(await faultOf(made)).toMatchObject({ code: "outcome-unknown" });
    expect(names()).toEqual(lookUp);
    expect(pause).toHaveBeenCalledTimes(isWithin);
  });

  it.each([
    ["nothing was sent", [stored()], 0, "api-unavailable", []],
    ["a create got no answer", [unanswered], 1, "outcome-unknown", lookUp],
    ["a create was refused for now", [quota], 1, "api-unavailable", lookUp],
  ])("when it is late (%s), and sends nothing more", async (_what, createJob, onTime, code, calls) => {
    let asked = 0;
    const { made, names } = run(createJob, [notFound], live, () => asked++ >= onTime);
    expect((await faultOf(made)).code).toBe(code);
    expect(names()).toEqual(calls);
  });

  it("on an error that is no failed call, which goes through as it is", async () => {
    const defect = new TypeError("a defect");
    const { made, names } = run([() => Promise.reject(defect)]);
    await expect(made()).rejects.toBe(defect);
    expect(names()).toEqual(["createJob"]);
  });
});

describe("a Job under our name", () => {
  it.each<[what: string, found: JsonObject, code: string]>([
    ["another key's", stored({ key: "x" }), "foreign-job"],
    ["another CronJob's", stored({ owner: "x" }), "foreign-job"],
    ["a CronJob's of that uid that does not control it", stored({ controller: false }), "foreign-job"],
    ["nobody's", { metadata: { name: "sync-m1", namespace: "n" } }, "foreign-job"],
    ["without metadata", {}, "foreign-job"],
    ["another key's and another request's", stored({ key: "x", request: "x" }), "foreign-job"],
    ["the key's with other parameters", stored({ request: "x" }), "key-reused"],
  ])("that is %s is refused, whatever the create said", async (_what, found, code) => {
    for (const failure of [alreadyExists, unanswered, fails({ status: 422 })]) {
      const { made, names } = run([failure], [found]);
      expect((await faultOf(made)).code).toBe(code);
      expect(names()).toEqual(lookUp);
    }
  });

  it("is named in the refusal", async () => {
    const foreign = await faultOf(() => recognise(job(), stored({ key: "x" })));
    expect(foreign.message).toBe("Job n/sync-m1 is not of this CronJob and key; rename or delete it");
    const reused = await faultOf(() => recognise(job(), stored({ request: "x" })));
    expect(reused.message).toBe("Job n/sync-m1 was made for this key with other parameters");
  });
});
