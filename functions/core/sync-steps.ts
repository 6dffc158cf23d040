/** A step that a log line shows: `pattern` is text with `*` for anything, found anywhere in the line. */
export type SyncStep = { name: string; pattern: string };

const maxSteps = 16;
const maxPatternLength = 200;

/**
 * Reads SYNC_STEPS: `name=pattern` pairs, one a line or separated by `;`. Throws an Error naming the bad one.
 * Wildcards, not regular expressions: no pattern of them can make a line cost more than its length.
 */
export function parseSyncSteps(text: string): SyncStep[] {
  const pairs = text
    .split(/[\n;]/)
    .map((pair) => pair.trim())
    .filter((pair) => pair !== "");
  if (pairs.length > maxSteps) throw new Error(`${pairs.length} steps; at most ${maxSteps} are allowed`);
  const steps = pairs.map(parsePair);
  const doubled = steps.find(({ name }, index) => steps.findIndex((step) => step.name === name) !== index);
  if (doubled) throw new Error(`step ${JSON.stringify(doubled.name)} stands twice`);
  return steps;
}

function parsePair(pair: string): SyncStep {
  const [, name, pattern = ""] = /^([A-Za-z0-9][A-Za-z0-9_-]{0,31})\s*=\s*(.+)$/.exec(pair) ?? [];
  if (name === undefined) {
    throw new Error(`expected name=pattern (name: at most 32 letters, digits, - and _), not ${JSON.stringify(pair)}`);
  }
  if (pattern.length > maxPatternLength || /^\*+$/.test(pattern)) {
    throw new Error(
      `step ${JSON.stringify(name)}: a pattern has at most ${maxPatternLength} characters, not all of them *`,
    );
  }
  return { name, pattern };
}

/** Whether a line shows the step: the parts between `*` stand in it, in their order. */
export function showsStep(line: string, { pattern }: SyncStep): boolean {
  let from = 0;
  for (const part of pattern.split("*")) {
    const at = line.indexOf(part, from);
    if (at === -1) return false;
    from = at + part.length;
  }
  return true;
}
