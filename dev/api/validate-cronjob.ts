import { type FieldError, invalidValue, notSupported, required } from "./invalid.ts";
import { dnsSubdomainErrors } from "./names.ts";
import type { CronJob } from "./objects.ts";
import { scheduleError } from "./schedule.ts";
import { isTimeZone } from "./time-zone.ts";
import { jobSpecErrors } from "./validate-job.ts";
import { metaErrors, metaUpdateErrors, negativeErrors } from "./validate-meta.ts";

const policies = ["Allow", "Forbid", "Replace"];
const nameLimit = 52;

function scheduleErrors({ schedule }: CronJob["spec"]): FieldError[] {
  const field = "spec.schedule";
  if (!schedule) return [required(field)];
  const why = scheduleError(schedule);
  const errors = why === undefined ? [] : [invalidValue(field, schedule, why)];
  if (!schedule.includes("TZ")) return errors;
  return [...errors, invalidValue(field, schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead")];
}

function timeZoneErrors(zone: string | undefined): FieldError[] {
  const field = "spec.timeZone";
  if (zone === undefined) return [];
  if (zone === "") return [invalidValue(field, zone, "timeZone must be nil or non-empty string")];
  const unknown = invalidValue(field, zone, `unknown time zone ${zone}`);
  const isPart = (part: string) => /^[A-Za-z._\-0-9+]{1,14}$/.test(part) && !/^\.\.?$|^-/.test(part);
  if (!zone.split("/").every(isPart)) return [unknown];
  const message = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
  const local = zone.toLowerCase() === "local" ? [invalidValue(field, zone, message)] : [];
  // Go knows "Local" by this spelling, and so has nothing more to say of it.
  return zone === "Local" || isTimeZone(zone) ? local : [...local, unknown];
}

function specErrors(spec: CronJob["spec"]): FieldError[] {
  const { jobTemplate, concurrencyPolicy = "" } = spec;
  const template = jobTemplate.spec;
  return [
    ...scheduleErrors(spec),
    ...negativeErrors(spec.startingDeadlineSeconds, "spec.startingDeadlineSeconds"),
    ...timeZoneErrors(spec.timeZone),
    ...(policies.includes(concurrencyPolicy)
      ? []
      : [notSupported("spec.concurrencyPolicy", concurrencyPolicy, policies)]),
    ...jobSpecErrors(template, "spec.jobTemplate.spec"),
    ...(template.selector
      ? [invalidValue("spec.jobTemplate.spec.selector", template.selector, "`selector` will be auto-generated")]
      : []),
    ...(template.manualSelector ? [notSupported("spec.jobTemplate.spec.manualSelector", true, ["nil", "false"])] : []),
    ...negativeErrors(spec.successfulJobsHistoryLimit, "spec.successfulJobsHistoryLimit"),
    ...negativeErrors(spec.failedJobsHistoryLimit, "spec.failedJobsHistoryLimit"),
  ];
}

/** What is wrong with a new CronJob. */
export function cronJobErrors(cronJob: CronJob): FieldError[] {
  const { name } = cronJob.metadata;
  return [
    ...metaErrors(cronJob.metadata, true, dnsSubdomainErrors),
    ...specErrors(cronJob.spec),
    // The controller appends eleven characters to make a Job's name of it.
    ...((name ?? "").length > nameLimit
      ? [invalidValue("metadata.name", name, `must be no more than ${nameLimit} characters`)]
      : []),
  ];
}

/** What is wrong with a changed CronJob. */
export function cronJobUpdateErrors(cronJob: CronJob, before: CronJob): FieldError[] {
  return [...metaUpdateErrors(cronJob.metadata, before.metadata), ...specErrors(cronJob.spec)];
}
