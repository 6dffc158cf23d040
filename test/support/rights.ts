import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { leaseName } from "../../functions/kubernetes/client.ts";
import { RIGHTS } from "../../functions/kubernetes/cluster.ts";

/** A rule of a Role, or of what the API server says somebody may. */
export type Rule = { verbs: string[]; apiGroups: string[]; resources: string[]; resourceNames?: string[] };

/** Rules as single rights, sorted: verb group/resource/[name]. */
export function toRights(rules: Rule[]): string[] {
  return rules
    .flatMap(({ verbs, apiGroups, resources, resourceNames = [""] }) =>
      verbs.flatMap((verb) =>
        apiGroups.flatMap((group) =>
          resources.flatMap((resource) => resourceNames.map((name) => `${verb} ${group}/${resource}/${name}`)),
        ),
      ),
    )
    .sort();
}

/** The directories of manifests/ that the code names as granting its rights. */
export const grantingDirectories: string[] = [...new Set(Object.values(RIGHTS).map(({ grantedBy }) => grantedBy))];

/** Those of them that an overlay is made of. */
export function grantedBy(overlay: string): string[] {
  const directory = join("manifests/overlays", overlay);
  const { resources, components } = parse(readFileSync(join(directory, "kustomization.yaml"), "utf8")) as Parts;
  const parts = [...resources, ...components].map((path) => join(directory, path));
  // The base brings the rights.
  return grantingDirectories.filter((path) => path === "manifests/rights" || parts.includes(path));
}
type Parts = { resources: string[]; components: string[] };

/** What the calls in functions/kubernetes/cluster.ts need of a directory of manifests/, in the same form. */
export function rightsNeededOf(directory: string, cronJobName: string): string[] {
  const names: Record<string, string> = { cronjobs: cronJobName, leases: leaseName };
  const rules = Object.values(RIGHTS)
    .filter(({ grantedBy }) => grantedBy === directory)
    .map(({ verb, apiGroup, resource, byName }) => ({
      ...{ verbs: [verb], apiGroups: [apiGroup], resources: [resource] },
      ...(byName ? { resourceNames: [names[resource] ?? "unknown"] } : {}),
    }));
  return [...new Set(toRights(rules))];
}
