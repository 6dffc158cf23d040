import type { Played } from "./calls.ts";

const uid = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g;
const time = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
/** In messages that name a version or hold a whole object. */
const versionInText = /(ResourceVersion in record \(|"resourceVersion\\?":\\?")\d+/g;
const generated = /\b(made|run-[a-z-]+)-[bcdfghjklmnpqrstvwxz2456789]{5}\b/g;

/**
 * The answers without what no two servers have in common: uids become numbers in the order of their appearance, so that
 * two places which held the same one still do; times of now, versions and generated names lose their values.
 */
export function normalise(played: readonly Played[], namespace: string): Played[] {
  const uids = new Map<string, string>();
  const numbered = (found: string) => {
    if (found.startsWith("11111111-")) return found;
    const known = uids.get(found) ?? `uid-${uids.size + 1}`;
    uids.set(found, known);
    return known;
  };
  const recentMs = Date.now() - 24 * 3_600_000;
  const text = (value: string) =>
    value
      .replaceAll(namespace, "NAMESPACE")
      .replace(uid, numbered)
      .replace(time, (found) => (Date.parse(found) > recentMs && !found.startsWith("21") ? "NOW" : found))
      .replace(generated, "$1-XXXXX")
      .replace(versionInText, "$1VERSION");
  return played.map((each) => ({
    name: text(each.name),
    status: each.status,
    headers: walk(each.headers, text) as Played["headers"],
    body: walk(each.body, text) as Played["body"],
  }));
}

function walk(value: unknown, text: (value: string) => string): unknown {
  if (typeof value === "string") return text(value);
  if (Array.isArray(value)) return value.map((item) => walk(item, text));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    // In the order of their names: numbers for uids must not depend on who writes which field first.
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .filter(([name]) => name !== "managedFields")
      .map(([name, item]) => [name, isVersion(name, item) ? "VERSION" : walk(item, text)]),
  );
}

const isVersion = (name: string, value: unknown) =>
  (name === "resourceVersion" || name === "continue") && typeof value === "string" && value !== "";
