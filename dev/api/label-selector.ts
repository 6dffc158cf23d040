import { badRequest } from "./status.ts";

type Labels = Readonly<Record<string, string>>;
/** Whether labels are selected. */
export type LabelMatcher = (labels: Labels) => boolean;

interface Cursor {
  tokens: string[];
  at: number;
}

const symbols = new Set(["=", "==", "!=", "!", ",", "(", ")", ">", "<"]);
const operators = "in, notin, =, ==, !=, gt, lt";

const peek = (cursor: Cursor) => cursor.tokens[cursor.at] ?? "";
const take = (cursor: Cursor) => {
  const token = peek(cursor);
  cursor.at += 1;
  return token;
};
const isWord = (token: string) => token !== "" && !symbols.has(token);

/** Parses a label selector as the query parameter has it; throws 400 in the server's words. */
export function parseLabelSelector(text: string): LabelMatcher {
  const cursor: Cursor = { tokens: text.match(/==|!=|[=!,()<>]|[^\s=!,()<>]+/g) ?? [], at: 0 };
  const matchers: LabelMatcher[] = [];
  while (peek(cursor) !== "") {
    if (!isWord(peek(cursor)) && peek(cursor) !== "!") {
      throw badRequest(`found '${peek(cursor)}', expected: !, identifier, or 'end of string'`);
    }
    matchers.push(parseRequirement(cursor));
    const next = take(cursor);
    if (next === "") break;
    if (next !== ",") throw badRequest(`found '${next}', expected: ',' or 'end of string'`);
    if (!isWord(peek(cursor)) && peek(cursor) !== "!") {
      throw badRequest(`found '${peek(cursor)}', expected: identifier after ','`);
    }
  }
  return (labels) => matchers.every((matches) => matches(labels));
}

function parseRequirement(cursor: Cursor): LabelMatcher {
  const negated = peek(cursor) === "!";
  if (negated) take(cursor);
  const key = take(cursor);
  if (negated) return (labels) => labels[key] === undefined;
  const operator = peek(cursor);
  if (operator === "" || operator === ",") return (labels) => labels[key] !== undefined;
  take(cursor);
  switch (operator) {
    case "=":
    case "==": {
      const value = parseValue(cursor);
      return (labels) => labels[key] === value;
    }
    case "!=": {
      const value = parseValue(cursor);
      return (labels) => labels[key] !== value;
    }
    case "in": {
      const values = parseValues(cursor);
      return (labels) => labels[key] !== undefined && values.has(labels[key]);
    }
    case "notin": {
      const values = parseValues(cursor);
      return (labels) => labels[key] === undefined || !values.has(labels[key]);
    }
    case ">":
    case "<": {
      const limit = Number(parseValue(cursor));
      const sign = operator === ">" ? 1 : -1;
      return (labels) => labels[key] !== undefined && (Number(labels[key]) - limit) * sign > 0;
    }
    default:
      throw badRequest(`unable to parse requirement: found '${operator}', expected: ${operators}`);
  }
}

function parseValue(cursor: Cursor): string {
  // `key=` asks for the empty value.
  return isWord(peek(cursor)) ? take(cursor) : "";
}

function parseValues(cursor: Cursor): ReadonlySet<string> {
  const open = take(cursor);
  if (open !== "(") throw badRequest(`unable to parse requirement: found '${open}' expected: '('`);
  const values = new Set<string>();
  for (;;) {
    values.add(parseValue(cursor));
    const next = take(cursor);
    if (next === ")") return values;
    if (next !== ",") throw badRequest(`unable to parse requirement: found '${next}', expected: ',' or ')'`);
  }
}
