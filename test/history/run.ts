// Triggers under faults, and a checker of what happened: npm run test:history -- --seed 1 --policy forbid
// On an API server of its own; with --jobs pods inside the tests' cluster; or on the cluster that TEST_KUBE_CONTEXT names.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { startApiServer, stopApiServer } from "../cluster/apiserver.ts";
import { clusterEnvironment, insideNetns } from "../cluster/netns.ts";
import { startOwnCluster } from "../own-api-server/own-api-server.ts";
import { makeSigningKey } from "../own-api-server/signing-key.ts";
import bundleFunction from "../support/bundle-function.ts";
import { makeCertificate } from "../support/certificates.ts";
import { openTarget } from "../support/target.ts";
import { parseHistoryArguments, usage } from "./options.ts";
import { type ApiServer, runHistory } from "./run-history.ts";

// Else what was started would go on: what ends on "exit" hears of no signal.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

type Wanted = ReturnType<typeof parseHistoryArguments>;

try {
  const wanted = parseHistoryArguments(process.argv.slice(2));
  if (process.env.TEST_KUBE_CONTEXT !== undefined) await runAll(wanted, undefined);
  else if (wanted.jobs !== "pods") await runAlone(wanted);
  else if (process.env.TEST_TARGET === "real") await runAll(wanted, { stop: stopApiServer, start: startApiServer });
  else await enter();
} catch (error) {
  console.error(error instanceof Error && error.message.startsWith("--") ? `${error.message}\n${usage}` : error);
  process.exitCode = 1;
}

async function runAlone(wanted: Wanted): Promise<void> {
  const cluster = await startOwnCluster();
  try {
    const identity = { certificate: makeCertificate("api"), signingKeys: [makeSigningKey()] } as const;
    const apiServer = await cluster.startApiServer(identity);
    process.env.KUBECONFIG = apiServer.kubeconfig;
    await runAll(wanted, apiServer);
  } finally {
    await cluster.close();
  }
}

/** The same command inside the cluster's network namespace. */
async function enter(): Promise<void> {
  await run([process.execPath, "test/cluster/up.ts"], {});
  await run(insideNetns([process.execPath, ...process.argv.slice(1)]), {
    ...clusterEnvironment(),
    TEST_TARGET: "real",
  });
}

async function run([command = "", ...args]: string[], env: Record<string, string>): Promise<void> {
  const child = spawn(command, args, { stdio: "inherit", env: { ...process.env, ...env } });
  const [code] = await once(child, "exit");
  if (code !== 0) process.exit(typeof code === "number" ? code : 1);
}

async function runAll({ seeds, policies, options, jobs }: Wanted, apiServer: ApiServer | undefined): Promise<void> {
  process.env.TEST_TARGET = "real";
  const forgetBundle = await bundleFunction();
  for (const seed of seeds) {
    for (const policy of policies) {
      const target = await openTarget(`history ${seed}`);
      const file = `reports/history/${policy}-${seed}.jsonl`;
      console.log(`== ${policy}, seed ${seed}: ${options.triggers} triggers, ${options.keys} keys; ${file}`);
      const kind = jobs ?? (policy === "allow" ? "idle" : "written");
      const verdict = await runHistory(target, { ...options, seed, policy, jobs: kind, apiServer, file });
      for (const [name, count] of Object.entries(verdict.counts)) console.log(`${String(count).padStart(7)} ${name}`);
      for (const { rule, detail } of verdict.violations) console.log(`VIOLATION ${rule}: ${detail}`);
      console.log(verdict.violations.length === 0 ? "every promise was kept" : "a promise was broken");
      if (verdict.violations.length > 0) process.exitCode = 1;
      await target.close({ keep: verdict.violations.length > 0 });
    }
  }
  await forgetBundle();
}
