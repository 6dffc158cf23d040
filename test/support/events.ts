/** An event request as decodeEvent takes it. */
export type EventMessage = { rawHeaders: string[]; body: Buffer };

/** The least that an event must have. */
export const leastAttributes = { specversion: "1.0", id: "1", source: "/s", type: "com.example.t" };

/**
 * A binary-mode request: each attribute a `ce-` header (undefined leaves it out), the body as it is. Extra headers go
 * in behind, in pairs, so that a test can double one.
 */
export function binaryEvent(
  attributes: Record<string, string | undefined> = {},
  { body = "", headers = [] }: { body?: string | Uint8Array; headers?: string[] } = {},
): EventMessage {
  const all = Object.entries({ ...leastAttributes, ...attributes });
  const rawHeaders = all.flatMap(([name, value]) => (value === undefined ? [] : [`ce-${name}`, value]));
  return { rawHeaders: [...rawHeaders, ...headers], body: Buffer.from(body as string) };
}

/** A structured-mode request of an envelope with the least attributes (undefined leaves one out), or of a body as it is. */
export function structuredEvent(
  envelope: Record<string, unknown> | string | Uint8Array,
  contentType = "application/cloudevents+json",
): EventMessage {
  const isBody = typeof envelope === "string" || envelope instanceof Uint8Array;
  const body = isBody ? envelope : JSON.stringify({ ...leastAttributes, ...envelope });
  return { rawHeaders: ["Content-Type", contentType], body: Buffer.from(body as string) };
}
