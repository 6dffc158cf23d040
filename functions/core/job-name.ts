const alphabet = "abcdefghijklmnopqrstuvwxyz234567"; // base32 of RFC 4648, lower case
const suffixCharacters = 17; // 85 bits of the digest
const maxNameLength = 63; // a Job's name becomes a label value of its pods

/**
 * The name of the Job for a key: `<cronjob, cut>-m<base32 of the digest>`. The name is the lock: the API server stores
 * one Job under it. The letter in front keeps the suffix from ever being the all-digit one of scheduled Jobs
 * (`<cronjob>-<minutes>`), which would make the CronJob controller lose that tick.
 */
export function jobName(cronJobName: string, keyDigest: string): string {
  return jobNameOfSlot(cronJobName, keySlot(keyDigest));
}

/** The part of a Job's name that is made from its key: the record knows a key by it. */
export function keySlot(keyDigest: string): string {
  return `m${toBase32(keyDigest)}`;
}

/** The Job's name for a key that is known by its slot alone. */
export function jobNameOfSlot(cronJobName: string, slot: string): string {
  const stem = cronJobName.slice(0, maxNameLength - slot.length - 1).replace(/[.-]+$/, "");
  return `${stem}-${slot}`;
}

function toBase32(hex: string): string {
  let bits = BigInt(`0x${hex.slice(0, 24)}`);
  let text = "";
  for (let count = 0; count < suffixCharacters; count += 1) {
    text += alphabet[Number(bits & 31n)];
    bits >>= 5n;
  }
  return text;
}
