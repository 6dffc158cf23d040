import type { Played } from "./calls.ts";

/** One field in which two answers differ. */
export interface Difference {
  step: string;
  /** Where in the answer: `status`, `headers.warning`, `body.spec.template`, ... */
  path: string;
  embedded: unknown;
  real: unknown;
}

/** A difference that is known and why it stays. Both patterns must match the whole of what they stand for. */
export interface KnownDifference {
  step: RegExp;
  path: RegExp;
  reason: string;
}

/** Every field in which two plays of the same script differ, step by step. */
export function differences(embedded: readonly Played[], real: readonly Played[]): Difference[] {
  const answersOf = (played: readonly Played[]) => new Map(played.map(({ name, ...answer }) => [name, answer]));
  const [ours, theirs] = [answersOf(embedded), answersOf(real)];
  const steps = new Set([...theirs.keys(), ...ours.keys()]);
  return [...steps].flatMap((step) =>
    fieldDifferences(ours.get(step) ?? {}, theirs.get(step) ?? {}, "").map((found) => ({ step, ...found })),
  );
}

function fieldDifferences(embedded: unknown, real: unknown, path: string): Omit<Difference, "step">[] {
  if (isTree(embedded) && isTree(real) && Array.isArray(embedded) === Array.isArray(real)) {
    const names = new Set([...Object.keys(embedded), ...Object.keys(real)]);
    return [...names].flatMap((name) =>
      fieldDifferences(embedded[name], real[name], path === "" ? name : `${path}.${name}`),
    );
  }
  return Object.is(embedded, real) ? [] : [{ path, embedded, real }];
}

const isTree = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

const whole = (pattern: RegExp, text: string) => new RegExp(`^(?:${pattern.source})$`, pattern.flags).test(text);

/** The differences that no row knows, and the rows that know of none any more. */
export function judge(found: readonly Difference[], known: readonly KnownDifference[]) {
  const used = new Set<KnownDifference>();
  const unknown = found.filter(({ step, path }) => {
    const row = known.find((each) => whole(each.step, step) && whole(each.path, path));
    if (row) used.add(row);
    return row === undefined;
  });
  return { unknown, unused: known.filter((row) => !used.has(row)) };
}
