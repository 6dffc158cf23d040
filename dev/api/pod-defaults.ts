import { isJsonObject, type Json, type JsonObject } from "./json.ts";
import type { Container, PodTemplate } from "./objects.ts";

// Written after SetObjectDefaults_CronJob of 1.36.3. Every function changes the object that it is given, which is fresh
// from the decoder. Volumes of storage vendors (iSCSI, RBD, Azure, ScaleIO) are left as they come.

function setDefaults(object: JsonObject, defaults: JsonObject): void {
  for (const [name, value] of Object.entries(defaults)) object[name] ??= value;
}

const objectsIn = (value: unknown): JsonObject[] => (Array.isArray(value) ? value.filter(isJsonObject) : []);
const objectAt = (object: JsonObject, name: string) => (isJsonObject(object[name]) ? object[name] : undefined);

/** `latest` or no tag at all is pulled always. */
function pullPolicyFor(image: string): string {
  const tag = /:([^:/@]+)(?:@|$)/.exec(image)?.[1];
  const digest = image.includes("@");
  return tag === "latest" || (tag === undefined && !digest) ? "Always" : "IfNotPresent";
}

function defaultHttpGet(action: JsonObject | undefined): void {
  if (action) setDefaults(action, { path: "/", scheme: "HTTP" });
}

function defaultProbe(probe: JsonObject): void {
  setDefaults(probe, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 });
  defaultHttpGet(objectAt(probe, "httpGet"));
  const grpc = objectAt(probe, "grpc");
  if (grpc) setDefaults(grpc, { service: "" });
}

function defaultContainer(container: JsonObject): void {
  setDefaults(container, {
    imagePullPolicy: pullPolicyFor(String(container.image ?? "")),
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
    resources: {},
  });
  for (const port of objectsIn(container.ports)) setDefaults(port, { protocol: "TCP" });
  for (const variable of objectsIn(container.env)) {
    const source = objectAt(variable, "valueFrom");
    const fieldRef = source && objectAt(source, "fieldRef");
    if (fieldRef) setDefaults(fieldRef, { apiVersion: "v1" });
    const fileKeyRef = source && objectAt(source, "fileKeyRef");
    if (fileKeyRef) setDefaults(fileKeyRef, { optional: false });
  }
  for (const name of ["livenessProbe", "readinessProbe", "startupProbe"]) {
    const probe = objectAt(container, name);
    if (probe) defaultProbe(probe);
  }
  const lifecycle = objectAt(container, "lifecycle") ?? {};
  for (const hook of ["postStart", "preStop"]) defaultHttpGet(objectAt(objectAt(lifecycle, hook) ?? {}, "httpGet"));
}

function defaultDownwardItems(items: Json | undefined): void {
  for (const item of objectsIn(items)) {
    const fieldRef = objectAt(item, "fieldRef");
    if (fieldRef) setDefaults(fieldRef, { apiVersion: "v1" });
  }
}

function defaultVolume(volume: JsonObject): void {
  if (Object.keys(volume).every((name) => name === "name")) volume.emptyDir = {};
  for (const name of ["secret", "configMap", "downwardAPI", "projected"]) {
    const source = objectAt(volume, name);
    // 0644 in decimal.
    if (source) setDefaults(source, { defaultMode: 420 });
  }
  const hostPath = objectAt(volume, "hostPath");
  if (hostPath) setDefaults(hostPath, { type: "" });
  const image = objectAt(volume, "image");
  if (image) setDefaults(image, { pullPolicy: pullPolicyFor(String(image.reference ?? "")) });
  const claim = objectAt(objectAt(volume, "ephemeral") ?? {}, "volumeClaimTemplate");
  const claimSpec = claim && objectAt(claim, "spec");
  if (claimSpec) setDefaults(claimSpec, { volumeMode: "Filesystem" });
  defaultDownwardItems(objectAt(volume, "downwardAPI")?.items);
  for (const source of objectsIn(objectAt(volume, "projected")?.sources)) {
    defaultDownwardItems(objectAt(source, "downwardAPI")?.items);
    const token = objectAt(source, "serviceAccountToken");
    if (token) setDefaults(token, { expirationSeconds: 3600 });
  }
}

/** A pod template with what the server fills in. */
export function defaultPodTemplate(template: Partial<PodTemplate> | undefined): PodTemplate {
  const spec = { ...template?.spec } as JsonObject;
  setDefaults(spec, {
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 30,
    dnsPolicy: "ClusterFirst",
    securityContext: {},
    schedulerName: "default-scheduler",
  });
  // The old name of the field is kept in step with the new one.
  const account = spec.serviceAccountName ?? spec.serviceAccount;
  if (account) Object.assign(spec, { serviceAccountName: account, serviceAccount: account });
  for (const volume of objectsIn(spec.volumes)) defaultVolume(volume);
  for (const name of ["initContainers", "containers"]) for (const each of objectsIn(spec[name])) defaultContainer(each);
  return {
    ...template,
    metadata: template?.metadata ?? {},
    spec: spec as unknown as PodTemplate["spec"],
  };
}

/** Requests default to limits in a pod, though not in a template. */
export function withDefaultRequests(container: Container): Container {
  const limits = container.resources?.limits;
  if (!limits) return container;
  return {
    ...container,
    resources: { ...container.resources, requests: { ...limits, ...container.resources?.requests } },
  };
}
