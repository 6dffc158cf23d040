import { join } from "node:path";
import { run } from "../machine/run.ts";

/** The Prometheus operator, whose module holds the definitions of its kinds, and that version's checksum. */
const operator = "github.com/prometheus-operator/prometheus-operator@v0.85.0";
const checksum = "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=";

/** The directory of the Prometheus operator's CustomResourceDefinitions; fetched when missing. */
export async function findMonitoringCrds(): Promise<string> {
  // The checksum stands here: no database of checksums is asked.
  const env = { GOFLAGS: "-mod=mod", GONOSUMDB: "github.com/prometheus-operator" };
  const answer = await run("go", ["mod", "download", "-json", operator], { cwd: "/", env, timeoutMs: 300_000 });
  const { Dir, Sum } = JSON.parse(answer) as { Dir: string; Sum: string };
  if (Sum !== checksum) throw new Error(`${operator} has the checksum ${Sum}, not ${checksum}`);
  return join(Dir, "example", "prometheus-operator-crd");
}
