import { describe, expect, test } from "vitest";
import type { Played } from "./calls.ts";
import { differences, judge } from "./compare.ts";
import { normalise } from "./normalise.ts";

const answer = (body: object, status = 200): Played => ({ name: "step", status, headers: {}, body: body as never });
const row = (step: RegExp, path: RegExp) => ({ step, path, reason: "because" });

describe("the comparison of answers", () => {
  test.each([
    ["a changed value", { a: 1 }, { a: 2 }, ["body.a"]],
    ["a field too few", {}, { a: 1 }, ["body.a"]],
    ["a field too many", { a: { b: 1 } }, { a: {} }, ["body.a.b"]],
    ["a list that is longer", { a: [1, 2] }, { a: [1] }, ["body.a.1"]],
    ["a list for an object", { a: [] }, { a: {} }, ["body.a"]],
    ["null for nothing", { a: null }, {}, ["body.a"]],
    ["nothing", { a: [{ b: 1 }] }, { a: [{ b: 1 }] }, []],
  ])("finds %s", (_what, ours, theirs, paths) => {
    expect(differences([answer(ours)], [answer(theirs)]).map(({ path }) => path)).toEqual(paths);
  });

  test("finds another status and a missing answer", () => {
    expect(differences([answer({}, 200)], [answer({}, 404)])).toMatchObject([{ path: "status" }]);
    for (const [ours, theirs] of [
      [[], [answer({})]],
      [[answer({})], []],
    ] as const) {
      expect(differences(ours, theirs).map(({ path }) => path)).toEqual(["status", "headers", "body"]);
    }
  });

  test.each([
    ["a difference that no row knows", [row(/other/, /status/)], 1, 1],
    ["a row that matches only a part of the path", [row(/step/, /stat/)], 1, 1],
    ["a row that matches only a part of the step", [row(/ste/, /status/)], 1, 1],
    ["nothing when the row fits", [row(/st.p/, /status/)], 0, 0],
    ["a second row for the same", [row(/step/, /status/), row(/.*/, /.*/)], 0, 1],
  ])("complains of %s", (_what, rows, unknown, unused) => {
    const judged = judge(differences([answer({}, 200)], [answer({}, 404)]), rows);
    expect([judged.unknown.length, judged.unused.length]).toEqual([unknown, unused]);
  });
});

describe("the normaliser", () => {
  const uidA = "3530e71e-6493-4350-afdd-699447eae14b";
  const uidB = "ec325e06-4447-4abc-8645-b4ff2ec27de3";
  const body = (value: unknown) => normalise([answer({ value })], "ns-1")[0]?.body;

  test.each([
    ["the same uid as the same number", [uidA, uidB, uidA], ["uid-1", "uid-2", "uid-1"]],
    ["a time of now", new Date().toISOString(), "NOW"],
    ["a time of then", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"],
    ["a generated name", "made-bcdfg", "made-XXXXX"],
    ["the namespace", "in ns-1", "in NAMESPACE"],
    ["a version", { resourceVersion: "17" }, { resourceVersion: "VERSION" }],
    ["an empty version", { resourceVersion: "" }, { resourceVersion: "" }],
    ["managed fields", { managedFields: [{}], name: "x" }, { name: "x" }],
  ])("shows %s so that two servers can agree", (_what, value, shown) => {
    expect(body(value)).toEqual({ value: shown });
  });
});
