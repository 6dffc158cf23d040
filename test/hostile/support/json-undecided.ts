import { casesOf, type JsonCase } from "./json-case.ts";

/** Texts that a parser may take or not. */
export const undecided: JsonCase[] = [
  ...casesOf("large number", [
    "1e400",
    "-1e400",
    "1e-400",
    "123e999999999",
    "-123123e1000000",
    "0.4e00669999999999999999999999999999999999",
    "100000000000000000000",
  ]),
  ...casesOf("lone surrogate", [
    '"\\ud800"',
    '"\\udc00"',
    '"\\ud800abc"',
    '"\\ud800\\ud800"',
    '"\\udc00\\ud800"',
    '"\\ud800\\n"',
    '"\\uDFAA"',
    '{"\\uDFAA":0}',
    '"\\ud800\\u0061"',
  ]),
  ...casesOf("noncharacter", ['"\\uFFFE"', '"\\uFFFF"', '"\\uD83F\\uDFFE"']),
  ["64 arrays", "[".repeat(64) + "]".repeat(64)],
  ["65 arrays", "[".repeat(65) + "]".repeat(65)],
  ["500 arrays", "[".repeat(500) + "]".repeat(500)],
  ["a name of 60,000 characters", `{"${"a".repeat(60_000)}":1}`],
  ["10,000 names", `{${Array.from({ length: 6_000 }, (_, index) => `"${index}":0`).join(",")}}`],
  ["a string of 60,000 escapes", `"${"\\u0041".repeat(10_000)}"`],
  ["30,000 numbers", `[${"1,".repeat(30_000)}1]`],
  ["60,000 spaces", `${" ".repeat(60_000)}{}`],
  ["a number of 60,000 digits", "1".repeat(60_000)],
];
