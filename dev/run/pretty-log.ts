const hidden = new Set(["time", "level", "msg", "err"]);

/** A line of the function's JSON log for people; what is no JSON stays as it is. */
export function prettyLogLine(line: string): string {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return line;
  }
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) return line;
  const time = String(entry.time ?? "").slice(11, 19);
  const fields = Object.entries(entry)
    .filter(([name]) => !hidden.has(name))
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  const error = entry.err as { stack?: string } | undefined;
  return [time, entry.level, entry.msg, ...fields, error && `\n${error.stack ?? JSON.stringify(error)}`]
    .filter(Boolean)
    .join(" ");
}
