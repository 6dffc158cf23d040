const label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const subdomain = `${label}(\\.${label})*`;
const qualifiedPart = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const labelValue = `(${qualifiedPart})?`;

const matches = (pattern: string, text: string) => new RegExp(`^(?:${pattern})$`).test(text);
const byteLength = (text: string) => Buffer.byteLength(text);

function patternError(message: string, pattern: string, ...examples: string[]): string {
  const shown = examples.map((example) => `'${example}', `).join(" or ");
  return `${message} (e.g. ${shown}regex used for validation is '${pattern}')`;
}

const lowercase = "must consist of lower case alphanumeric characters";
const ends = "and must start and end with an alphanumeric character";
const qualifiedMessage = `must consist of alphanumeric characters, '-', '_' or '.', ${ends}`;

/** What is wrong with a DNS label, in the server's words; nothing if it is one. */
export function dnsLabelErrors(text: string): string[] {
  const errors = text.length > 63 ? ["must be no more than 63 characters"] : [];
  if (matches(label, text)) return errors;
  if (matches(subdomain, text)) return [...errors, "must not contain dots"];
  const message = `a lowercase RFC 1123 label ${lowercase} or '-', ${ends}`;
  return [...errors, patternError(message, label, "my-name", "123-abc")];
}

/** What is wrong with a DNS subdomain, in the server's words. */
export function dnsSubdomainErrors(text: string): string[] {
  const errors = text.length > 253 ? ["must be no more than 253 characters"] : [];
  if (matches(subdomain, text)) return errors;
  const message = `a lowercase RFC 1123 subdomain ${lowercase}, '-' or '.', ${ends}`;
  return [...errors, patternError(message, subdomain, "example.com")];
}

/** What is wrong with the key of a label or an annotation. */
export function qualifiedNameErrors(text: string): string[] {
  const parts = text.split("/");
  const [first = "", second] = parts;
  if (parts.length > 2) {
    const message = `a valid label key ${qualifiedMessage}`;
    const allowed = `${patternError(message, qualifiedPart, "MyName", "my.name", "123-abc")} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`;
    return [allowed];
  }
  const errors: string[] = [];
  const name = second ?? first;
  if (second !== undefined) {
    if (first === "") errors.push("prefix part must be non-empty");
    else
      errors.push(...dnsSubdomainErrors(first).map((error) => `prefix part ${error.replace(/characters$/, "bytes")}`));
  }
  if (name === "") errors.push("name part must be non-empty");
  else if (name.length > 63) errors.push("name part must be no more than 63 bytes");
  if (!matches(qualifiedPart, name)) {
    errors.push(patternError(`name part ${qualifiedMessage}`, qualifiedPart, "MyName", "my.name", "123-abc"));
  }
  return errors;
}

/** What is wrong with the value of a label. */
export function labelValueErrors(text: string): string[] {
  const errors = byteLength(text) > 63 ? ["must be no more than 63 bytes"] : [];
  if (matches(labelValue, text)) return errors;
  const message = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', ${ends}`;
  return [...errors, patternError(message, labelValue, "MyValue", "my_value", "12345")];
}

/** What is wrong with the name of an environment variable: any printable ASCII but "=" will do. */
export function environmentNameErrors(text: string): string[] {
  if (/^[ -<>-~]+$/.test(text)) return [];
  return ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}
