import type { CloudEventV1 } from "cloudevents";
import { Fault } from "../errors.ts";
import type { Json } from "./json.ts";
import { parseMediaType } from "./media-type.ts";
import { parseTimestampMs } from "./timestamp.ts";

/** Longer than the identifiers that anybody makes. */
const maxLength = 2_048;

/** Says what is wrong with an attribute's value; undefined when nothing is. */
type Rule = (value: string) => string | undefined;

const nonEmpty: Rule = (value) => (value === "" ? "is empty" : undefined);
const noSpace: Rule = (value) => (/[\s<>"{}|\\^`]/.test(value) ? "is no URI reference" : undefined);

/** The context attributes of CloudEvents 1.0.2, section 3, in the order in which they are checked. */
const rules: Record<string, { required: boolean; rules: Rule[] }> = {
  specversion: { required: true, rules: [(value) => (value === "1.0" ? undefined : 'is not "1.0"')] },
  id: { required: true, rules: [nonEmpty] },
  source: { required: true, rules: [nonEmpty, noSpace] },
  type: { required: true, rules: [nonEmpty] },
  datacontenttype: {
    required: false,
    rules: [nonEmpty, (value) => (parseMediaType(value) ? undefined : "is no media type")],
  },
  dataschema: {
    required: false,
    rules: [nonEmpty, noSpace, (value) => (URL.canParse(value) ? undefined : "is no absolute URI")],
  },
  subject: { required: false, rules: [nonEmpty] },
  time: {
    required: false,
    rules: [(value) => (parseTimestampMs(value) === undefined ? "is no RFC 3339 timestamp" : undefined)],
  },
};

/** The attributes as an event without data, unchanged. Throws 400 naming the first one that is missing or wrong. */
export function checkAttributes(attributes: Record<string, Json>): CloudEventV1<never> {
  for (const [name, { required, rules: own }] of Object.entries(rules)) {
    const value = attributes[name];
    if (value === undefined || value === null) {
      if (required) throw malformed(name, "is missing");
      continue;
    }
    if (typeof value !== "string") throw malformed(name, "is no string");
    for (const rule of [wellFormed, notTooLong, ...own]) {
      const wrong = rule(value);
      if (wrong !== undefined) throw malformed(name, wrong);
    }
  }
  for (const [name, value] of Object.entries(attributes)) {
    if (Object.hasOwn(rules, name)) continue;
    if (!/^[a-z0-9]+$/.test(name)) throw malformed(name, "is no attribute name: lower-case letters and digits only");
    const wrong = wrongExtension(value);
    if (wrong !== undefined) throw malformed(name, wrong);
  }
  const present = Object.entries(attributes).filter(([, value]) => value !== null);
  return Object.fromEntries(present) as unknown as CloudEventV1<never>;
}

/** An extension's value is of one of the types of section 3.1 that JSON has: String, Integer (32 bits), Boolean. */
function wrongExtension(value: Json): string | undefined {
  if (value === null || typeof value === "boolean") return undefined;
  if (typeof value === "string") return wellFormed(value) ?? notTooLong(value);
  if (typeof value !== "number") return "is neither string, number nor boolean";
  return value === (value | 0) ? undefined : "is no whole number of 32 bits";
}

/** The type String (section 3.1): no control characters, no lone surrogates, no noncharacters. */
function wellFormed(value: string): string | undefined {
  return /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u.test(value)
    ? "has control or other forbidden characters"
    : undefined;
}

/** The event is written down in the Job's annotations, which hold 256 KiB together, and in the log. */
function notTooLong(value: string): string | undefined {
  return value.length > maxLength ? `is over ${maxLength} characters` : undefined;
}

function malformed(name: string, wrong: string): Fault {
  return new Fault("malformed-event", `attribute ${JSON.stringify(name.slice(0, 64))} ${wrong}`);
}
