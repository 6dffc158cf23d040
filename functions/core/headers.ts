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

/**
 * Headers of which two could mean one thing to us and another to a proxy on the way; doubled `ce-` ones are the event's,
 * doubled credentials the authentication's where there is one.
 */
const single = [
  ...["content-encoding", "content-length", "content-type", "host", "idempotency-key"],
  "transfer-encoding",
];

/** More than any proxy adds; Node's limit in bytes leaves room for 16,000 short ones, each looked at several times. */
const maxHeaders = 128;

/**
 * Throws 400 for what can be read in two ways (such a header doubled, no Host, another HTTP than 1.x; RFC 9112, section
 * 3.2), 431 for too many headers.
 */
export function refuseAmbiguous(rawHeaders: RawHeaders, httpVersion: string): void {
  if (rawHeaders.length > 2 * maxHeaders) throw new Fault("headers-too-large", `more than ${maxHeaders} headers`);
  if (httpVersion !== "1.1" && httpVersion !== "1.0")
    throw new Fault("malformed-request", `HTTP/${httpVersion} is not spoken here; HTTP/1.1 is`);
  for (const name of single) singleHeader(rawHeaders, name);
  if (httpVersion === "1.1" && headerValues(rawHeaders, "host").length === 0)
    throw new Fault("malformed-request", "header host is missing");
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
