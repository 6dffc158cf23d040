import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { loadConfig, SETTINGS } from "../../functions/config.ts";
import { ofKind, readManifests } from "./read-manifests.ts";

type Patch = { op: string; path: string; value: unknown };
type InlinePatch = { target: { kind: string }; patch: string };

const files = readManifests();
const namesOf = (kind: string) => ofKind(files, kind).map(({ object }) => object.metadata.name);

/** The settings that a component makes, as the code reads them. */
function configOf(component: string) {
  const { patches } = parse(readFileSync(`manifests/components/${component}/kustomization.yaml`, "utf8"));
  const [{ patch }] = patches as [{ patch: string }];
  const settings = (parse(patch) as Patch[]).map(({ path, value }) => [path.replace("/data/", ""), String(value)]);
  return loadConfig({ CRONJOB_NAME: "x", ...Object.fromEntries(settings) });
}

test("jwt-auth lets in our own Triggers, our PingSource and the page, by the names that Knative gives them", () => {
  const { authMode, authAudience, authTriggerSubjects, authReadSubjects } = configOf("jwt-auth");
  const identities = [
    ...namesOf("Trigger").map((name) => `serviceaccount:${name}-oidc-eventing.knative.dev-trigger`),
    ...[...new Set(namesOf("PingSource"))].map((name) => `serviceaccount:${name}-oidc-sources.knative.dev-pingsource`),
  ];
  const page = namesOf("ServiceAccount").filter((name) => name !== "sync-trigger");
  expect(page).toEqual(["settings-page"]);
  expect(identities).toHaveLength(3);
  // Longer ones Knative cuts and gives a digest (kmeta.ChildName).
  for (const identity of identities) expect(identity.length - "serviceaccount:".length).toBeLessThanOrEqual(63);
  expect(authMode).toBe("jwt");
  expect(authTriggerSubjects?.toSorted()).toEqual([...identities, "serviceaccount:settings-page"].sort());
  expect(authReadSubjects).toEqual(["serviceaccount:settings-page"]);
  expect(authAudience).toBe(SETTINGS.AUTH_AUDIENCE?.fallback);
});

const readComponent = (file: string) => readFileSync(`manifests/components/${file}`, "utf8");

/** The volumes and mounts that a patch of a pod template adds. */
function readMount(text: string): { volumes: object[]; mounts: object[] } {
  const patches = parse(text) as Patch[];
  const template = "/spec/template/spec";
  expect(patches.map(({ op, path }) => [op, path])).toEqual([
    ["add", `${template}/volumes`],
    ["add", `${template}/containers/0/volumeMounts`],
  ]);
  const [volumes, mounts] = patches.map(({ value }) => value) as [object[], object[]];
  return { volumes, mounts };
}

const pageMount = [{ name: "token", mountPath: "/var/run/secrets/sync-trigger", readOnly: true }];

test("jwt-auth mounts a token of the page's own account for the audience that is checked", () => {
  const audience = configOf("jwt-auth").authAudience;
  const serviceAccountToken = { path: "token", audience, expirationSeconds: 3600 };
  const volumes = [{ name: "token", projected: { sources: [{ serviceAccountToken }] } }];
  const { patches } = parse(readComponent("jwt-auth/kustomization.yaml")) as { patches: InlinePatch[] };
  const [mount] = patches.filter(({ target }) => target.kind === "Deployment");
  expect(readMount(mount?.patch ?? "")).toEqual({ volumes, mounts: pageMount });
});

test("token-auth mounts of its tokens the page's alone into the page", () => {
  const secret = { secretName: "sync-trigger-tokens", items: [{ key: "page", path: "token" }] };
  const volumes = [{ name: "token", secret }];
  expect(readMount(readComponent("token-auth/mount-page-token.json"))).toEqual({ volumes, mounts: pageMount });
});

test("the audience that Triggers are told is the one that is checked", () => {
  const text = readFileSync("manifests/components/jwt-auth/kustomization.yaml", "utf8");
  const { patches } = parse(text) as { patches: InlinePatch[] };
  const values = patches
    .filter(({ target }) => target.kind === "Trigger")
    .flatMap(({ patch }) => parse(patch) as Patch[])
    .map(({ path, value }) => [path, value]);
  expect(values).toEqual([["/spec/subscriber/audience", configOf("jwt-auth").authAudience]]);
});

test("token-auth mounts the tokens, to be read only, where the code looks for them", () => {
  const { volumes, mounts } = readMount(readComponent("token-auth/mount-tokens.json"));
  expect(volumes).toEqual([{ name: "tokens", secret: { secretName: "sync-trigger-tokens" } }]);
  expect(mounts).toEqual([{ name: "tokens", mountPath: SETTINGS.AUTH_TOKEN_DIRECTORY?.fallback, readOnly: true }]);
  const { authMode, authTriggerSubjects, authReadSubjects } = configOf("token-auth");
  expect(authMode).toBe("token");
  expect(authTriggerSubjects).toEqual(["token:page"]);
  expect(authReadSubjects).toEqual(["token:page", "token:prometheus"]);
});

test("no Secret is in the manifests", () => {
  expect(namesOf("Secret")).toEqual([]);
});
