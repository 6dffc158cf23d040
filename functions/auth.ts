import type { Config } from "./config.ts";
import { headerValues, type RawHeaders } from "./core/headers.ts";
import { Fault } from "./errors.ts";

/** Who a credential belongs to: `token:NAME` for a static token, the `sub` of a JWT. */
type Subject = string;

/** Looks a credential up; undefined: it is not good. Throws a Fault when nobody can say. */
export type Verify = (credential: string) => Promise<Subject | undefined>;

/** What a route needs: the right to trigger, or to read. */
type Access = "trigger" | "read";

/** Tells who is calling, and refuses who may not. undefined: authentication is off. */
export type Authenticate = (rawHeaders: RawHeaders, access: Access) => Promise<Subject | undefined>;

/** Who may do what; `serviceaccount:NAME` there stands for a ServiceAccount of our own namespace. */
type Lists = Pick<Config, "authTriggerSubjects" | "authReadSubjects"> & { namespace: string };

const bearer = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;
// RFC 6750, section 3: a 401 says how to authenticate.
const challenge = { headers: { "WWW-Authenticate": 'Bearer realm="sync-trigger"' } };

/**
 * Authentication by bearer credentials, tried by each verifier in turn. Throws 400 for a malformed header, 401 for a
 * missing, empty, doubled or wrong credential, 403 for a subject that is not listed; lists that are empty let nobody in.
 */
export function createAuthenticate(
  verifiers: readonly Verify[],
  { authTriggerSubjects, authReadSubjects, namespace }: Lists,
): Authenticate {
  const toSubject = (text: string) => text.replace(/^serviceaccount:/, `system:serviceaccount:${namespace}:`);
  const lists: Record<Access, ReadonlySet<Subject>> = {
    trigger: new Set(authTriggerSubjects?.map(toSubject)),
    read: new Set(authReadSubjects?.map(toSubject)),
  };
  return async (rawHeaders, access) => {
    const [header = "", ...others] = headerValues(rawHeaders, "authorization");
    if (/^(Bearer)? *$/i.test(header))
      throw new Fault("unauthenticated", "no credential; send a bearer token", challenge);
    if (others.length > 0)
      throw new Fault("unauthenticated", "more than one Authorization header; send one", challenge);
    const [, credential] = bearer.exec(header) ?? [];
    if (!credential) throw new Fault("malformed-request", "Authorization: expected Bearer and a token");
    for (const verify of verifiers) {
      const subject = await verify(credential);
      if (subject === undefined) continue;
      if (lists[access].has(subject)) return subject;
      throw new Fault(
        "not-allowed",
        `${subject} is not in the list of who may ${access} (AUTH_${access.toUpperCase()}_SUBJECTS)`,
      );
    }
    throw new Fault("unauthenticated", "the bearer token is not good", challenge);
  };
}
