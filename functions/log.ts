import pino from "pino";

/** A logger of JSON lines on standard output. */
export type Logger = Pick<pino.Logger, "debug" | "info" | "warn" | "error">;

/**
 * One JSON object a line: `time` in ISO 8601, `level` as a word. Errors are logged by name, message and stack alone:
 * what libraries hang on them (requests with their headers) can hold credentials.
 */
export function createLogger(level: string): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
    },
    { write: (line: string) => out.write(line.replace(invisible, toEscape)) },
  );
}

const out = pino.destination({ dest: 1, sync: true });

/** What JSON leaves as it is and a terminal or another reader of lines does not: C1 controls, U+2028, writing directions. */
const invisible = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu;

function toEscape(character: string): string {
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}

function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error);
  const { name, message, stack, cause } = error;
  return { name, message, stack, ...(cause === undefined ? {} : { cause: describeError(cause) }) };
}
