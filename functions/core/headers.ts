import { Fault } from "../errors.ts";

/** Header names and values in turn, as they came (Node's `rawHeaders`): Node's own object hides doubled headers. */
export type RawHeaders = readonly string[];

/** The value of a header that may stand once; undefined when absent. Throws 400 when it is doubled. */
export function singleHeader(rawHeaders: RawHeaders, name: string): string | undefined {
  const values = headerValues(rawHeaders, name);
  if (values.length > 1)
    throw new Fault("malformed-request", `header ${name} stands ${values.length} times; once is allowed`);
  return values[0];
}

/** Every value of a header, in order. */
export function headerValues(rawHeaders: RawHeaders, name: string): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
}

/** The headers whose names begin with a prefix, names in lower case, doubled ones as they came. */
export function headersWithPrefix(rawHeaders: RawHeaders, prefix: string): [name: string, value: string][] {
  const found: [string, string][] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? "").toLowerCase();
    if (name.startsWith(prefix)) found.push([name, rawHeaders[index + 1] ?? ""]);
  }
  return found;
}
