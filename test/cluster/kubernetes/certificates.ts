import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RUN_DIR } from "../machine/paths.ts";
import { run } from "../machine/run.ts";
import { API_SERVICE_ADDRESS, CLUSTER_DOMAIN, NODE_ADDRESS, NODE_NAME } from "./settings.ts";

/** The directory of all keys and certificates. */
export const PKI_DIR = join(RUN_DIR, "pki");

export const CA_FILE = join(PKI_DIR, "ca.crt");

/** The key pair that signs ServiceAccount tokens: RSA, as most clusters have it. */
export const SERVICE_ACCOUNT_KEY = join(PKI_DIR, "service-account.key");
export const SERVICE_ACCOUNT_PUBLIC_KEY = join(PKI_DIR, "service-account.pub");

interface Certificate {
  name: string;
  subject: string;
  usage: "clientAuth" | "serverAuth";
  alternativeNames?: string;
}

const apiServerNames = [
  "DNS:localhost",
  "DNS:kubernetes",
  "DNS:kubernetes.default",
  "DNS:kubernetes.default.svc",
  `DNS:kubernetes.default.svc.${CLUSTER_DOMAIN}`,
  "IP:127.0.0.1",
  `IP:${NODE_ADDRESS}`,
  `IP:${API_SERVICE_ADDRESS}`,
];

/** Who takes part: the names and groups are those that Kubernetes' own RBAC bindings and the node authorizer know. */
const certificates: Certificate[] = [
  { name: "admin", subject: "/O=system:masters/CN=admin", usage: "clientAuth" },
  { name: "kube-controller-manager", subject: "/CN=system:kube-controller-manager", usage: "clientAuth" },
  { name: "kube-scheduler", subject: "/CN=system:kube-scheduler", usage: "clientAuth" },
  { name: "kube-proxy", subject: "/CN=system:kube-proxy", usage: "clientAuth" },
  { name: "kubelet", subject: `/O=system:nodes/CN=system:node:${NODE_NAME}`, usage: "clientAuth" },
  { name: "apiserver-to-kubelet", subject: "/O=system:masters/CN=kube-apiserver", usage: "clientAuth" },
  { name: "apiserver", subject: "/CN=kube-apiserver", usage: "serverAuth", alternativeNames: apiServerNames.join() },
  {
    name: "kubelet-server",
    subject: `/O=system:nodes/CN=system:node:${NODE_NAME}`,
    usage: "serverAuth",
    alternativeNames: `DNS:${NODE_NAME},IP:${NODE_ADDRESS}`,
  },
];

async function openssl(...args: string[]): Promise<void> {
  await run("openssl", args, { cwd: PKI_DIR });
}

/** The extensions are spelt out: what the system's openssl.cnf would add differs from machine to machine. */
function requestArgs(name: string, subject: string, extensions: string[]): string[] {
  const files = ["-keyout", `${name}.key`, "-out", `${name}.crt`];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const added = extensions.flatMap((extension) => ["-addext", extension]);
  return ["req", "-x509", "-config", "request.cnf", ...key, ...files, "-days", "3650", "-subj", subject, ...added];
}

/** Makes the cluster's certificate authority and every certificate, once for each cluster. */
export async function issueCertificates(): Promise<void> {
  if (existsSync(SERVICE_ACCOUNT_PUBLIC_KEY)) return;
  mkdirSync(PKI_DIR, { recursive: true, mode: 0o700 });
  writeFileSync(join(PKI_DIR, "request.cnf"), "[req]\ndistinguished_name = name\n[name]\n");
  const authority = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,digitalSignature,keyCertSign,cRLSign"];
  await openssl(...requestArgs("ca", "/CN=sync-trigger-ca", [...authority, "subjectKeyIdentifier=hash"]));
  for (const { name, subject, usage, alternativeNames } of certificates) {
    const extensions = ["basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature"];
    extensions.push(`extendedKeyUsage=${usage}`, "subjectKeyIdentifier=hash", "authorityKeyIdentifier=keyid");
    if (alternativeNames) extensions.push(`subjectAltName=${alternativeNames}`);
    await openssl(...requestArgs(name, subject, extensions), "-CA", "ca.crt", "-CAkey", "ca.key");
  }
  await openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", SERVICE_ACCOUNT_KEY);
  await openssl("pkey", "-in", SERVICE_ACCOUNT_KEY, "-pubout", "-out", SERVICE_ACCOUNT_PUBLIC_KEY);
}
