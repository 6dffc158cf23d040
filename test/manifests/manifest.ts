import type { Rule } from "../support/rights.ts";

type Texts = Record<string, string>;
type Probe = { httpGet: { path: string } };
type Reference = { kind: string; name: string; namespace?: string };

/** A container, as far as the tests look at it. */
export type Container = {
  name: string;
  image: string;
  command: string[];
  env?: { name: string; value: string }[];
  envFrom: object[];
  ports?: { containerPort: number }[];
  readinessProbe?: Probe;
  livenessProbe?: Probe;
  lifecycle: { preStop: { sleep: { seconds: number } } };
  resources: { requests: Texts; limits: Texts };
  securityContext: Record<string, unknown>;
};

export type PodSpec = {
  containers: [Container, ...Container[]];
  serviceAccountName: string;
  automountServiceAccountToken?: boolean;
  securityContext?: Record<string, unknown>;
  terminationGracePeriodSeconds: number;
  topologySpreadConstraints?: object[];
  /** Knative's. */
  timeoutSeconds: number;
  containerConcurrency: number;
};

type Metadata = { name: string; namespace?: string; labels: Texts; annotations: Texts };
type Template = { metadata: Metadata; spec: PodSpec };

/**
 * An object of Kubernetes, Knative or Kustomize with the fields of all kinds that the tests look at: what is missing
 * fails the test that reads it.
 */
export type Manifest = {
  apiVersion: string;
  kind: string;
  metadata: Metadata;
  data?: Texts;
  rules: [Rule, ...Rule[]];
  roleRef: Reference;
  subjects: Reference[];
  resources?: string[];
  components?: string[];
  transformers?: string[];
  patches?: { target: Reference; patch: string }[];
  images?: Texts[];
  spec: {
    type?: string;
    selector: Texts;
    template: Template;
    job: { metadata: Metadata; spec: { ttlSecondsAfterFinished: number; template: Template } };
    filter: { attributes: Texts };
    delivery: Texts & { deadLetterSink: { ref: Reference } };
    contentType: string;
    data: string;
    policyName: string;
    paramRef?: object;
    matchResources: { namespaceSelector: object };
  };
};

/** func.yaml, as far as the tests look at it. */
export type FuncFile = {
  name: string;
  namespace: string;
  runtime: string;
  run: { envs: object[] };
  deploy: {
    serviceAccountName: string;
    healthEndpoints: Texts;
    labels: object[];
    options: {
      scale: { min: number; max: number };
      resources: { requests: Texts; limits: Record<string, unknown> };
    };
  };
};
