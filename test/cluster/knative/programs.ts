import { buildPrograms, type GoGroup, moduleDirectory } from "../machine/go-binaries.ts";

/** What a Knative program and its image are called: knative.dev/serving/cmd/queue is serving-queue. */
export function nameOfProgram(goPackage: string): string {
  return goPackage.replace("knative.dev/", "").replace("/cmd/", "-").replaceAll("/", "-").replaceAll("_", "-");
}

const knativePackages = [
  "knative.dev/serving/cmd/activator",
  "knative.dev/serving/cmd/autoscaler",
  "knative.dev/serving/cmd/controller",
  "knative.dev/serving/cmd/queue",
  "knative.dev/serving/cmd/webhook",
  "knative.dev/eventing/cmd/broker/filter",
  "knative.dev/eventing/cmd/broker/ingress",
  "knative.dev/eventing/cmd/controller",
  "knative.dev/eventing/cmd/in_memory/channel_controller",
  "knative.dev/eventing/cmd/in_memory/channel_dispatcher",
  "knative.dev/eventing/cmd/jobsink",
  "knative.dev/eventing/cmd/mtchannel_broker",
  "knative.dev/eventing/cmd/mtping",
  "knative.dev/eventing/cmd/webhook",
];

const groupOf = (name: string, packages: string[]): GoGroup => ({
  name,
  programs: Object.fromEntries(packages.map((goPackage) => [nameOfProgram(goPackage), goPackage])),
});

/** Serving and Eventing. */
export const knativePrograms = groupOf("knative", knativePackages);

/** The controller of Kourier, Knative's default gateway. */
export const kourierPrograms = groupOf("net-kourier", ["knative.dev/net-kourier/cmd/kourier"]);

/** The cluster's DNS server. */
export const dnsPrograms: GoGroup = { name: "coredns", programs: { coredns: "." } };

/** Builds the func CLI, or finds it built, and returns the path of the program. */
export async function buildFuncCli(): Promise<string> {
  const programs = await buildPrograms({ name: "func", programs: { func: "knative.dev/func/cmd/func" } });
  return `${programs}/func`;
}

/** The path of func's own JSON Schema of func.yaml. */
export async function findFuncSchema(): Promise<string> {
  return `${await moduleDirectory("func", "knative.dev/func")}/schema/func_yaml-schema.json`;
}
