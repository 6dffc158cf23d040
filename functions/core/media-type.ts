/** A media type in lower case, with its parameters (RFC 9110, section 8.3.1). */
export type MediaType = { type: string; parameters: Map<string, string> };

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const essence = new RegExp(`^\\s*(${token}/${token})\\s*(?=;|$)`);
const parameter = new RegExp(`\\s*;\\s*(?:(${token})=(?:(${token})|"((?:[^"\\\\]|\\\\.)*)"))?\\s*`, "y");

/** Reads a Content-Type; undefined when it is malformed. */
export function parseMediaType(text: string): MediaType | undefined {
  const type = essence.exec(text);
  if (!type?.[1]) return undefined;
  const parameters = new Map<string, string>();
  parameter.lastIndex = type[0].length;
  while (parameter.lastIndex < text.length) {
    const found = parameter.exec(text);
    if (!found) return undefined;
    const [, name, plain, quoted] = found;
    if (name) parameters.set(name.toLowerCase(), plain ?? quoted?.replace(/\\(.)/g, "$1") ?? "");
  }
  return { type: type[1].toLowerCase(), parameters };
}

/** Whether the media type is JSON by name or by suffix (RFC 6839). */
export function isJsonMediaType({ type }: MediaType): boolean {
  return type === "application/json" || type === "text/json" || type.endsWith("+json");
}

/** Whether text of this media type is UTF-8, which JSON always is (RFC 8259, section 8.1). */
export function isUtf8MediaType({ parameters }: MediaType): boolean {
  const charset = parameters.get("charset")?.toLowerCase();
  return charset === undefined || charset === "utf-8" || charset === "utf8" || charset === "us-ascii";
}
