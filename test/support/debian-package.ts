import { run } from "../cluster/machine/run.ts";

/**
 * Makes sure that a program is there. A CI installs the Debian package that has it; anybody else gets an error with the
 * command. The package's service, where it has one, is of no use here: a machine without systemd starts none anyway.
 */
export async function requireProgram(program: string, debianPackage: string): Promise<void> {
  const isThere = await run(program, ["--version"]).then(
    () => true,
    () => false,
  );
  if (isThere) return;
  const options = "--option Acquire::http::Timeout=20 --option Acquire::Retries=3 --yes --no-install-recommends";
  const command = `apt-get update && apt-get install ${options} ${debianPackage}`;
  if (process.env.CI !== "true") throw new Error(`${program} is missing: ${command}`);
  await run("sh", ["-c", command], { env: { DEBIAN_FRONTEND: "noninteractive" }, timeoutMs: 300_000 });
}
