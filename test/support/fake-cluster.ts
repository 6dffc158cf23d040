import type { JsonObject } from "../../functions/core/json.ts";
import { ApiError, type ApiFailure } from "../../functions/kubernetes/api-error.ts";
import type { Cluster } from "../../functions/kubernetes/cluster.ts";

/** What a call comes to: an object, a failure, or what a function of its first argument gives (or rejects with). */
export type Scripted = Result | ((argument: unknown) => Promise<Result> | Result);
type Result = JsonObject | Failure;
type Failure = { failure: Partial<ApiFailure> };

/** Answers of each call in turn; the last one goes on. A call without answers is an error of the test. */
export type Script = { [name in keyof Cluster]?: Scripted[] };

/** A failed call. */
export const fails = (failure: Partial<ApiFailure>): Failure => ({ failure });

export const notFound = fails({ status: 404, reason: "NotFound" });
export const alreadyExists = fails({ status: 409, reason: "AlreadyExists" });
/** The connection broke after the request went out. */
export const unanswered = fails({ status: 0, message: "ECONNRESET", mayHaveTakenEffect: true });
/** The connection was refused. */
export const unreachable = fails({ status: 0, message: "ECONNREFUSED" });

/** A Cluster that does as it is told and writes down each call with its first argument. */
export function fakeCluster(script: Script) {
  const calls: [name: string, argument: unknown][] = [];
  const left = new Map(Object.entries(script).map(([name, answers]) => [name, [...answers]]));
  const call = async (name: keyof Cluster, argument?: unknown) => {
    calls.push([name, structuredClone(argument)]);
    const answers = left.get(name) ?? [];
    const scripted = answers.length > 1 ? answers.shift() : answers[0];
    if (!scripted) throw new Error(`the test has no answer for ${name}`);
    const answer = typeof scripted === "function" ? await scripted(argument) : scripted;
    if (!isFailure(answer)) return answer;
    const rest = { status: 0, reason: "", message: "said so", mayHaveTakenEffect: false };
    throw new ApiError({ call: name, ...rest, ...answer.failure });
  };
  const cluster = {
    getCronJob: () => call("getCronJob"),
    getJob: (name: string) => call("getJob", name),
    createJob: (job: JsonObject) => call("createJob", job),
  } as unknown as Cluster;
  return { cluster, calls, names: () => calls.map(([name]) => name) };
}

function isFailure(answer: JsonObject | Failure): answer is Failure {
  return "failure" in answer;
}
