import { describe, expect, it } from "vitest";
import { FAULTS, Fault } from "../../functions/errors.ts";
import { ApiError, type ApiFailure, isPassing } from "../../functions/kubernetes/api-error.ts";
import { RIGHTS } from "../../functions/kubernetes/cluster.ts";
import { reportApiErrors, retryAfter, toApiFault } from "../../functions/kubernetes/report-api-errors.ts";
import { faultOf } from "../support/fault-of.ts";

const failed = (failure: Partial<ApiFailure>) =>
  new ApiError({ call: "createJob", status: 0, reason: "", message: "said so", mayHaveTakenEffect: false, ...failure });

const faultFor = (failure: Partial<ApiFailure>) =>
  faultOf(() => {
    throw toApiFault(failed(failure));
  });

describe("isPassing", () => {
  it.each([
    [0, "", true],
    [429, "TooManyRequests", true],
    [500, "InternalError", true],
    [503, "", true],
    [504, "Timeout", true],
    [409, "Conflict", true],
    [409, "AlreadyExists", false],
    [409, "", true],
    [400, "BadRequest", false],
    [401, "Unauthorized", false],
    [403, "Forbidden", false],
    [404, "NotFound", false],
    [422, "Invalid", false],
  ])("status %i with reason %j: %s", (status, reason, passing) => {
    expect(isPassing(failed({ status, reason }).failure)).toBe(passing);
  });
});

describe("toApiFault", () => {
  it.each<[what: string, failure: Partial<ApiFailure>, code: string, detail: RegExp]>([
    ["no answer", { status: 0 }, "api-unavailable", /^create jobs: said so$/],
    ["429", { status: 429 }, "api-unavailable", /^create jobs: said so$/],
    ["500", { status: 500 }, "api-unavailable", /^create jobs: said so$/],
    ["503", { status: 503 }, "api-unavailable", /^create jobs: said so$/],
    ["a quota's conflict", { status: 409, reason: "Conflict" }, "quota-conflict", /^said so$/],
    ["400", { status: 400 }, "api-refused", /^create jobs was answered 400: said so$/],
    ["401", { status: 401 }, "api-refused", /^create jobs was answered 401: said so$/],
    ["404", { status: 404 }, "api-refused", /^create jobs was answered 404: said so$/],
    ["409 AlreadyExists", { status: 409, reason: "AlreadyExists" }, "api-refused", /answered 409/],
    ["422", { status: 422, reason: "Invalid" }, "api-refused", /^create jobs was answered 422: said so$/],
    ["a redirect", { status: 302 }, "api-refused", /answered 302/],
  ])("makes of %s", async (_what, failure, code, detail) => {
    expect(await faultFor(failure)).toMatchObject({ code, message: expect.stringMatching(detail) });
  });

  it.each(Object.entries(RIGHTS))("of a 403 to %s names what grants the right", async (call, right) => {
    const message = `x is forbidden: User "u" cannot ${right.verb} resource "x"`;
    const fault = await faultFor({ call: call as keyof typeof RIGHTS, status: 403, message });
    expect(fault.message).toBe(
      `${right.verb} ${right.resource} was answered 403: ${message}; ${right.grantedBy} grants this right`,
    );
    // A reading route whose right is not installed is no refusal, but a part that is left out.
    expect(fault.code).toBe(right.grantedBy.endsWith("/jobs-api") ? "component-missing" : "api-refused");
  });

  it("of a 403 for another reason names no right", async () => {
    const message = 'jobs.batch "x" is forbidden: exceeded quota: q, requested: count/jobs.batch=1';
    const fault = await faultFor({ status: 403, message });
    expect(fault.message).toBe(`create jobs was answered 403: ${message}`);
  });

  it("names a right for every other failure too, so that its sentence says what was tried", async () => {
    for (const call of Object.keys(RIGHTS) as (keyof typeof RIGHTS)[]) {
      const { message } = await faultFor({ call, status: 500 });
      expect(message).toBe(`${RIGHTS[call].verb} ${RIGHTS[call].resource}: said so`);
    }
  });

  it("tells the caller of every fault that may pass when to come back", async () => {
    for (const failure of [{ status: 0 }, { status: 429 }, { status: 503 }, { status: 409, reason: "Conflict" }]) {
      expect((await faultFor(failure)).headers).toEqual({ "Retry-After": "5" });
      expect((await faultFor({ ...failure, retryAfterS: 17 })).headers).toEqual({ "Retry-After": "17" });
    }
    expect((await faultFor({ status: 403 })).headers).toEqual({});
    expect(retryAfter({ retryAfterS: 0 })).toEqual({ "Retry-After": "0" });
  });

  it("never makes what loses an event of a PingSource", async () => {
    for (let status = 0; status < 600; status += 1) {
      for (const reason of ["", "Conflict", "AlreadyExists"]) {
        const fault = await faultFor({ status, reason });
        expect([502, 503], `${status} ${reason}`).toContain(fault.status);
      }
    }
  });

  it("leaves any other error as it is", () => {
    const other = new TypeError("a defect");
    expect(toApiFault(other)).toBe(other);
  });
});

describe("reportApiErrors", () => {
  const report = reportApiErrors({ missing: "CronJob n/x does not exist" });

  it("makes of a 404 what its caller says is missing", async () => {
    const fault = await faultOf(() => report(failed({ call: "getCronJob", status: 404 })));
    expect(fault).toMatchObject({ code: "cronjob-not-found", status: 404, message: "CronJob n/x does not exist" });
    const other = reportApiErrors({ missing: "no Job", code: "job-not-found" });
    expect((await faultOf(() => other(failed({ status: 404 })))).code).toBe("job-not-found");
  });

  it("makes of anything else what toApiFault makes of it", async () => {
    expect((await faultOf(() => report(failed({ status: 403 })))).code).toBe("api-refused");
    const fault = new Fault("invalid-field", "x");
    expect(() => report(fault)).toThrow(fault);
    expect(FAULTS[fault.code].status).toBe(422);
  });
});
