import { Fault, type FaultCode } from "../errors.ts";
import { ApiError, type ApiFailure, isPassing } from "./api-error.ts";
import { RIGHTS } from "./cluster.ts";

/** How the API server says that a right is missing; a used-up quota and admission's refusals are a 403 too. */
const lacksRight = /\bcannot \w+ resource\b/;
/** Seconds after which a caller may try again when the API server named none. */
const defaultRetryAfterS = 5;

/**
 * For `.catch`: throws the Fault that a failed call means; `missing` is the sentence for a 404 of the thing asked for,
 * `code` its Fault.
 */
export function reportApiErrors({
  missing,
  code = "cronjob-not-found",
}: {
  missing: string;
  code?: FaultCode;
}): (error: unknown) => never {
  return (error) => {
    if (error instanceof ApiError && error.failure.status === 404) {
      throw new Fault(code, missing, { cause: error });
    }
    throw toApiFault(error);
  };
}

/** The Fault that a failed call means; anything but an ApiError comes back as it is. */
export function toApiFault(error: unknown): unknown {
  if (!(error instanceof ApiError)) return error;
  const { failure } = error;
  if (failure.status === 409 && failure.reason === "Conflict") {
    return new Fault("quota-conflict", failure.message, { cause: error, headers: retryAfter(failure) });
  }
  if (isPassing(failure)) {
    const sentence = `${describeCall(failure)}: ${failure.message}`;
    return new Fault("api-unavailable", sentence, { cause: error, headers: retryAfter(failure) });
  }
  const { grantedBy } = RIGHTS[failure.call];
  const hint = failure.status === 403 && lacksRight.test(failure.message) ? `; ${grantedBy} grants this right` : "";
  const sentence = `${describeCall(failure)} was answered ${failure.status}: ${failure.message}${hint}`;
  const isMissing = failure.status === 403 && grantedBy === RIGHTS.listJobs.grantedBy;
  return new Fault(isMissing ? "component-missing" : "api-refused", sentence, { cause: error });
}

/** Headers that tell the caller when to come back. */
export function retryAfter({ retryAfterS }: Partial<Pick<ApiFailure, "retryAfterS">>): Record<string, string> {
  return { "Retry-After": String(retryAfterS ?? defaultRetryAfterS) };
}

function describeCall({ call }: ApiFailure): string {
  const { verb, resource } = RIGHTS[call];
  return `${verb} ${resource}`;
}
