import { describe, expect, it } from "vitest";
import { createAuthenticate } from "../../functions/auth.ts";
import { faultOf } from "../support/fault-of.ts";

type Access = Parameters<ReturnType<typeof createAuthenticate>>[1];
const good = ["Authorization", "Bearer x"];
/** Asks for access as that subject, whom every credential shows, in namespace `here`. */
const ask = (subject: string, access: Access, lists: { trigger?: string[]; read?: string[] }) =>
  createAuthenticate([async () => subject], {
    authTriggerSubjects: lists.trigger,
    authReadSubjects: lists.read,
    namespace: "here",
  })(good, access);

describe("the lists of subjects", () => {
  it.each([
    ["token:page", "token:page"],
    ["system:serviceaccount:there:page", "system:serviceaccount:there:page"],
    ["serviceaccount:page", "system:serviceaccount:here:page"],
  ])("%s lets %s in", async (listed, subject) => {
    expect(await ask(subject, "trigger", { trigger: ["token:other", listed] })).toBe(subject);
    expect(await ask(subject, "read", { read: [listed] })).toBe(subject);
  });

  it.each([
    ["serviceaccount:page", "system:serviceaccount:there:page"],
    ["serviceaccount:page", "serviceaccount:page"],
    ["serviceaccount:page", "system:serviceaccount:here:page2"],
    ["token:page", "token:page2"],
    ["token:serviceaccount:page", "system:serviceaccount:here:page"],
  ])("%s does not let %s in", async (listed, subject) => {
    expect(await faultOf(() => ask(subject, "trigger", { trigger: [listed] }))).toMatchObject({ status: 403 });
  });

  it("are one for triggering and one for reading, and let nobody in while they are empty", async () => {
    for (const [access, lists] of [
      ["read", { trigger: ["token:page"] }],
      ["trigger", { read: ["token:page"] }],
      ["trigger", { trigger: [] }],
      ["read", {}],
    ] as const) {
      expect(await faultOf(() => ask("token:page", access, { ...lists } as never))).toMatchObject({
        code: "not-allowed",
      });
    }
  });
});

describe("the Authorization header", () => {
  const withHeaders = (...rawHeaders: string[]) =>
    faultOf(() =>
      createAuthenticate([async (credential) => (credential === "x" ? "token:page" : undefined)], {
        authTriggerSubjects: ["token:page"],
        authReadSubjects: undefined,
        namespace: "here",
      })(rawHeaders, "trigger"),
    );

  it.each([
    ["missing", []],
    ["empty", ["Authorization", ""]],
    ["a scheme without a token", ["Authorization", "Bearer"]],
    ["a wrong token", ["Authorization", "Bearer y"]],
    ["doubled, both good", [...good, ...good]],
    ["doubled, one good", [...good, "authorization", "Bearer y"]],
  ])("%s is 401, and says how to authenticate", async (_what, rawHeaders) => {
    expect(await withHeaders(...rawHeaders)).toMatchObject({
      code: "unauthenticated",
      headers: { "WWW-Authenticate": 'Bearer realm="sync-trigger"' },
    });
  });

  it.each(["Basic eDp5", "Bearer x y", "Bearer x,y", "Bearerx", "x"])("%s is 400", async (value) => {
    expect(await withHeaders("Authorization", value)).toMatchObject({ code: "malformed-request" });
  });
});
