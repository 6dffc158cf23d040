import { expect, it } from "vitest";
import { continueTrace } from "../../functions/core/traceparent.ts";

const trace = "0af7651916cd43dd8448eb211c80319c";
const parent = "b7ad6b7169203331";
const span = "1111111111111111";
const fresh = "22222222222222222222222222222222";
const random = span + fresh;

it.each([
  ["sampled", `00-${trace}-${parent}-01`, `00-${trace}-${span}-01`],
  ["not sampled", `00-${trace}-${parent}-00`, `00-${trace}-${span}-00`],
  ["flags of later levels", `00-${trace}-${parent}-ff`, `00-${trace}-${span}-ff`],
  ["a later version", `cc-${trace}-${parent}-01`, `00-${trace}-${span}-01`],
  ["a later version with more behind it", `01-${trace}-${parent}-01-what-comes`, `00-${trace}-${span}-01`],
])("the caller's trace goes on under our own span: %s", (_what, received, expected) => {
  expect(continueTrace(received, random)).toBe(expected);
});

it.each([
  ["none", undefined],
  ["empty", ""],
  ["another form", "trace"],
  ["version ff", `ff-${trace}-${parent}-01`],
  ["version 00 with more behind it", `00-${trace}-${parent}-01-more`],
  ["version 00 with a dash behind it", `00-${trace}-${parent}-01-`],
  ["more without a dash", `01-${trace}-${parent}-01more`],
  ["a trace id of zeros", `00-${"0".repeat(32)}-${parent}-01`],
  ["a parent id of zeros", `00-${trace}-${"0".repeat(16)}-01`],
  ["upper case", `00-${trace.toUpperCase()}-${parent}-01`],
  ["a short trace id", `00-${trace.slice(1)}-${parent}-01`],
  ["a long parent id", `00-${trace}-${parent}0-01`],
  ["one digit of flags", `00-${trace}-${parent}-1`],
  ["no flags", `00-${trace}-${parent}`],
  ["a digit that is none", `00-${trace.replace("0", "g")}-${parent}-01`],
  ["white space around it", ` 00-${trace}-${parent}-01`],
  ["two of them in one header", `00-${trace}-${parent}-01,00-${trace}-${parent}-01`],
])("a new, unsampled trace begins: %s", (_what, received) => {
  expect(continueTrace(received, random)).toBe(`00-${fresh}-${span}-00`);
});
