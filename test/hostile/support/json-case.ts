/** A JSON text by its kind, as JSONTestSuite sorts them (RFC 8259): texts of our own, bytes where encodings are the case. */
export type JsonCase = [what: string, text: string | Buffer];

/** A case of each text. */
export function casesOf(kind: string, texts: readonly string[]): JsonCase[] {
  return texts.map((text) => [`${kind} ${JSON.stringify(text)}`, text]);
}
