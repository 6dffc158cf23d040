import { lease, leases, type Step, variants, withValue } from "./step.ts";

const times = { acquireTime: "2026-01-01T00:00:00.000000Z", renewTime: "2026-01-01T02:00:00.123456+01:00" };

/** One key at a time: of several wrong ones Go tells in an order of chance. */
const keys = (collection: string, field: string, names: readonly string[]) =>
  variants(
    { method: "POST", path: `${collection}?dryRun=All` },
    `Lease with ${field}`,
    names.map((name) => [name, { body: lease("keyed", {}, { [field]: { [name]: "v" } }) }]),
  );

/** Leases: the compare-and-swap that a lock is made of. */
export const leaseSteps = (namespace: string): Step[] => {
  const collection = leases(namespace);
  const one = `${collection}/lock`;
  const replace = { method: "PUT", path: one };
  return [
    {
      name: "create Lease",
      method: "POST",
      path: collection,
      body: lease("lock", { holderIdentity: "a", leaseDurationSeconds: 90, leaseTransitions: 0, ...times }),
    },
    ...variants({ method: "POST", path: collection }, "Lease", [
      ["exists", { body: lease("lock") }],
      ["no spec", { body: { ...lease("bare"), spec: undefined } }],
      ["empty holder", { body: lease("nobody", { holderIdentity: "" }) }],
      ["milliseconds", { body: lease("a", { renewTime: "2026-01-01T02:00:00.123Z" }) }],
      ["seconds", { body: lease("a", { renewTime: "2026-01-01T02:00:00Z" }) }],
      ["no time", { body: lease("a", { renewTime: "x" }) }],
      ["time with more behind it", { body: lease("a", { renewTime: "2026-01-01T02:00:00.123456Zx" }) }],
      ["duration 0", { body: lease("a", { leaseDurationSeconds: 0 }) }],
      ["negative", { body: lease("a", { leaseDurationSeconds: -1, leaseTransitions: -1 }) }],
      ["duration as text", { body: lease("a", { leaseDurationSeconds: "90" }) }],
      ["name in capitals", { body: lease("L_3") }],
    ]),
    ...keys(collection, "annotations", ["a b", "ok/a", "X/Y/z", "/n", "p/", "é", "P.q/R"]),
    ...keys(collection, "labels", ["a b", "x/y", "n".repeat(64), "P.q/r"]),
    { name: "get Lease", method: "GET", path: one },
    { name: "swap", ...replace, bodyFrom: (seen) => withValue(seen("get Lease"), "metadata.annotations", { k: "v" }) },
    {
      name: "swap with the version of before",
      ...replace,
      bodyFrom: (seen) => withValue(seen("get Lease"), "spec.holderIdentity", "b"),
    },
    { name: "swap for the same", ...replace, bodyFrom: (seen) => seen("swap") },
    {
      name: "swap with a version that is none",
      ...replace,
      bodyFrom: (seen) => withValue(seen("swap"), "metadata.resourceVersion", "abc"),
    },
    {
      name: "swap without a version",
      ...replace,
      bodyFrom: (seen) => withValue(seen("swap"), "metadata.resourceVersion", undefined),
    },
    {
      name: "rehearsed swap",
      ...replace,
      path: `${one}?dryRun=All`,
      bodyFrom: (seen) => withValue(seen("swap"), "spec.holderIdentity", "c"),
    },
    {
      name: "a PUT creates a Lease",
      ...replace,
      path: `${collection}/new`,
      body: lease("new", { holderIdentity: "x" }),
    },
    {
      name: "patch Lease",
      method: "PATCH",
      path: one,
      headers: { "content-type": "application/merge-patch+json" },
      body: { spec: { holderIdentity: null } },
    },
    { name: "list Leases", method: "GET", path: collection },
    { name: "delete Lease", method: "DELETE", path: one },
    { name: "delete Lease again", method: "DELETE", path: one },
    {
      name: "swap what is gone",
      ...replace,
      bodyFrom: (seen) => withValue(seen("get Lease"), "metadata.resourceVersion", ""),
    },
  ];
};
