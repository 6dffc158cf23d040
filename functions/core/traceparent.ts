const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/**
 * The `traceparent` (W3C Trace Context, section 3.2) of our own step: the caller's trace goes on under a span id of
 * ours; without a valid one a new, unsampled trace begins. `randomHex` has at least 48 hexadecimal digits.
 */
export function continueTrace(received: string | undefined, randomHex: string): string {
  const spanId = randomHex.slice(0, 16);
  const [, version, traceId, parentId, flags, rest] = form.exec(received ?? "") ?? [];
  const valid =
    version !== undefined &&
    version !== "ff" &&
    !(version === "00" && rest) &&
    !/^0+$/.test(traceId ?? "0") &&
    !/^0+$/.test(parentId ?? "0");
  return valid ? `00-${traceId}-${spanId}-${flags}` : `00-${randomHex.slice(16, 48)}-${spanId}-00`;
}
