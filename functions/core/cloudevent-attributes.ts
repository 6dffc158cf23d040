import type { CloudEventV1 } from "cloudevents";
import { Fault } from "../errors.ts";
import type { Json } from "./json.ts";
import { parseMediaType } from "./media-type.ts";

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
  time: { required: false, rules: [(value) => (isRfc3339(value) ? undefined : "is no RFC 3339 timestamp")] },
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
    for (const rule of [wellFormed, ...own]) {
      const wrong = rule(value);
      if (wrong !== undefined) throw malformed(name, wrong);
    }
  }
  for (const [name, value] of Object.entries(attributes)) {
    if (name in rules) continue;
    if (!/^[a-z0-9]+$/.test(name)) throw malformed(name, "is no attribute name: lower-case letters and digits only");
    if (typeof value === "object" && value !== null) throw malformed(name, "is neither string, number nor boolean");
  }
  const present = Object.entries(attributes).filter(([, value]) => value !== null);
  return Object.fromEntries(present) as unknown as CloudEventV1<never>;
}

/** The type String (section 3.1): no control characters, no lone surrogates. */
function wellFormed(value: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return /[\u0000-\u001f\u007f-\u009f]/.test(value) || !value.isWellFormed() ? "has control characters" : undefined;
}

function isRfc3339(value: string): boolean {
  const parts = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/i.exec(value);
  if (!parts) return false;
  const [, date, time, , offset] = parts;
  // Date.parse takes 30 February for 1 March: the day must come back as it went in. A leap second counts as the one before.
  const day = new Date(`${date}T00:00:00Z`);
  if (Number.isNaN(day.getTime()) || !day.toISOString().startsWith(date ?? "")) return false;
  return !Number.isNaN(Date.parse(`${date}T${time?.replace(/:60$/, ":59")}${offset?.toUpperCase()}`));
}

function malformed(name: string, wrong: string): Fault {
  return new Fault("malformed-event", `attribute ${JSON.stringify(name.slice(0, 64))} ${wrong}`);
}
