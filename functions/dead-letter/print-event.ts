// A program of its own: the Job of manifests/components/dead-letter runs it once for each event that was given up.
import { readFileSync } from "node:fs";
import { join } from "node:path";

if (import.meta.main) {
  // JobSink mounts the event under this *directory*, in the file `event` (knative.dev/eventing, cmd/jobsink).
  const path = join(process.env.K_EVENT_PATH ?? "/etc/jobsink-event", "event");
  process.stdout.write(`${describeDeadLetter(readFileSync(path, "utf8"))}\n`);
}

/**
 * An undelivered event (JSON format) as one line of JSON: the event whole, so that it can be sent again, and beside it
 * what its last receiver answered, which Knative keeps in base64. Throws a SyntaxError when the text is no JSON.
 */
export function describeDeadLetter(text: string): string {
  const event = JSON.parse(text) as Record<string, unknown>;
  const { knativeerrordest: receiver, knativeerrorcode: code, knativeerrordata: data } = event;
  return JSON.stringify({ level: "error", msg: "dead letter", receiver, code, answer: decodeAnswer(data), event });
}

/** The answer's body: parsed where it is JSON, else its text; Knative cuts long ones off. */
function decodeAnswer(data: unknown): unknown {
  if (typeof data !== "string") return undefined;
  const text = Buffer.from(data, "base64").toString("utf8");
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
