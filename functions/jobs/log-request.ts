import * as z from "zod/mini";
import { parseStampNs } from "../core/log-stamp.ts";

const flag = z.pipe(
  z.enum(["true", "false", "1", "0", ""]),
  z.transform((text) => text !== "false" && text !== "0"),
);

const name = z.optional(z.string().check(z.minLength(1), z.maxLength(253)));

/** The query of GET /jobs/NAME/logs; values are texts as a query has them. */
export const logQuerySchema = z.strictObject({
  follow: z.optional(flag).check(z.describe("Go on until the Job ends.")),
  tailLines: z
    .optional(
      z.pipe(
        z.string().check(z.regex(/^\d{1,9}$/, { message: "expected a whole number of lines" })),
        z.transform(Number),
      ),
    )
    .check(z.describe("Only the last lines of the newest pod.")),
  sinceTime: z
    .optional(
      z.string().check(
        z.refine((text) => parseStampNs(text) !== undefined, {
          message: 'expected an RFC 3339 timestamp such as "2026-11-23T21:00:00.123456789Z"',
        }),
      ),
    )
    .check(z.describe("Only lines after this time, to the nanosecond; of all pods, or of the one that `pod` names.")),
  container: name.check(z.describe("Another container than the default one.")),
  pod: name.check(z.describe("Begin with this pod, of a Job that had several.")),
  without: z
    .optional(
      z.pipe(
        z.string().check(z.maxLength(8_192)),
        z.transform((text) => text.split(",").filter((part) => part !== "")),
      ),
    )
    .check(z.describe("Beside `pod`: leave out these pods, parted by commas, and not those before it.")),
});

/** Which part of a Job's log is asked for. */
export type LogRequest = z.infer<typeof logQuerySchema>;

/** How far an answer came. */
export type LogPosition = {
  /** The pod at hand, and its last line's stamp. */
  pod?: string | undefined;
  stamp?: string | undefined;
  /** The pods that were read, where they are others than those before the pod at hand. */
  without?: string[] | undefined;
  /** The pod that was asked for is no longer there. */
  isPodGone?: boolean;
};

/**
 * The query that goes on where the answer to `request` ended, without a gap and without a line twice. It names the pod
 * even of a Job that had no other: a second one may have written meanwhile, before the first one's last line.
 */
export function toResumeQuery(request: LogRequest, position: LogPosition): string {
  const { follow, tailLines, container } = request;
  const asked = position.isPodGone ? undefined : request.pod;
  const pod = position.pod ?? asked;
  // Given with a pod, a time is of that pod alone; the others are read from their beginning.
  const isSinceInForce = asked === undefined || asked === pod;
  const without = position.pod === undefined ? request.without : position.without;
  const sinceTime = position.stamp ?? (isSinceInForce ? request.sinceTime : undefined);
  const query = new URLSearchParams();
  if (follow) query.set("follow", "true");
  // With a pod at hand and no line of it the log was empty: what is written by then is all to come, and no tail.
  if (position.pod === undefined && tailLines !== undefined) query.set("tailLines", String(tailLines));
  if (pod !== undefined) query.set("pod", pod);
  if (without !== undefined) query.set("without", without.join(","));
  if (container !== undefined) query.set("container", container);
  if (sinceTime !== undefined) query.set("sinceTime", sinceTime);
  return String(query).replaceAll("%3A", ":").replaceAll("%2C", ",");
}
