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
    pino.destination({ dest: 1, sync: true }),
  );
}

function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error);
  const { name, message, stack, cause } = error;
  return { name, message, stack, ...(cause === undefined ? {} : { cause: describeError(cause) }) };
}
