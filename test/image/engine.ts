import { run } from "../cluster/machine/run.ts";

/** A program that builds and runs images, with storage of its own that it leaves behind to nobody. */
export type Engine = {
  /** Takes an image from an archive, under the name that it has there. */
  load(archive: string): Promise<void>;
  /** Builds this checkout's Dockerfile. */
  build(image: string, buildArgs: Record<string, string>): Promise<void>;
  /** Starts the image as the user 12345 on a read-only root, without capabilities and without a network; gives its id. */
  start(image: string, options: string[]): Promise<string>;
  /** Runs a script with the container's own Node; gives what it prints. */
  evaluate(container: string, script: string): Promise<string>;
  /** Ends the container with SIGTERM; gives its exit code. */
  stop(container: string): Promise<number>;
  close(): Promise<void>;
};

/** What differs between the command lines of Docker and Podman. */
type CommandLine = { command: string[]; build: string[]; run: string[]; env?: Record<string, string> };

/** The engine of a command line, which both have in common but for a few options. */
export function toEngine(line: CommandLine, close: () => Promise<void>): Engine {
  const [program = "", ...prefix] = line.command;
  const call = (...args: string[]) => run(program, [...prefix, ...args], { env: line.env ?? {}, timeoutMs: 240_000 });
  const confined = ["--read-only", "--user", "12345:0", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"];
  return {
    async load(archive) {
      await call("load", "--input", archive);
    },
    async build(image, buildArgs) {
      const args = Object.entries(buildArgs).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]);
      await call("build", ...line.build, "--network", "host", ...args, "--tag", image, ".");
    },
    async start(image, options) {
      return (await call("run", "--detach", "--network", "none", ...confined, ...line.run, ...options, image)).trim();
    },
    evaluate: (container, script) => call("exec", container, "node", "--eval", script),
    async stop(container) {
      await call("stop", "--time", "30", container);
      return Number(await call("inspect", "--format", "{{.State.ExitCode}}", container));
    },
    close,
  };
}
