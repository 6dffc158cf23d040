const unitMs: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** What a duration may look like, for messages. */
export const durationForm = 'a duration such as "90s", "30m", "26h", "7d" or "1h30m"';

/** Milliseconds of a duration such as "26h" or "1h30m"; undefined when the text is none. */
export function parseDurationMs(text: string): number | undefined {
  if (!/^(\d{1,9}[smhd])+$/.test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+)([smhd])/g)) totalMs += Number(amount) * (unitMs[unit ?? ""] ?? 0);
  return totalMs;
}
