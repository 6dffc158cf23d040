import { expect, it } from "vitest";
import { preferredWaitS } from "../../functions/core/prefer.ts";

it.each<[string[], number | undefined]>([
  [["wait=10"], 10],
  [["wait=9999999"], 25],
  [["wait=0"], 0],
  [["WAIT = 7"], 7],
  [['wait="7"'], 7],
  [["wait=7; foo=bar"], 7],
  [["respond-async, wait=7"], 7],
  [["respond-async", "handling=lenient, wait=7"], 7],
  [["wait=3, wait=7"], 3],
  [['foo="wait=9, x", wait=7'], 7],
  [['foo; bar="a", wait=7'], 7],
  [[], undefined],
  [["wait"], undefined],
  [["wait=-1"], undefined],
  [["wait=1.5"], undefined],
  [["wait=soon"], undefined],
  [["return=minimal"], undefined],
  [["=5, wait=7"], undefined],
])("%j is %s", (values, seconds) => {
  expect(
    preferredWaitS(
      values.flatMap((value) => ["Prefer", value]),
      25,
    ),
  ).toBe(seconds);
});
