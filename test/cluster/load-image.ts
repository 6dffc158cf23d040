// Builds an image from a Dockerfile and gives it to the running cluster:
// node test/cluster/load-image.ts dev.local/NAME:TAG DIRECTORY [--file Dockerfile] [--build-arg KEY=VALUE]...
import { parseArgs } from "node:util";
import { loadImage } from "./images.ts";
import { runProgram } from "./machine/command.ts";

await runProgram(async () => {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { file: { type: "string" }, "build-arg": { type: "string", multiple: true, default: [] } },
  });
  const [name, context] = positionals;
  if (!name || !context) {
    throw new Error("usage: load-image.ts dev.local/NAME:TAG DIRECTORY [--file FILE] [--build-arg KEY=VALUE]...");
  }
  const pairs = values["build-arg"].map((pair): [string, string] => {
    const equals = pair.indexOf("=");
    if (equals < 1) throw new Error(`--build-arg ${pair}: KEY=VALUE was expected`);
    return [pair.slice(0, equals), pair.slice(equals + 1)];
  });
  await loadImage(name, { context, file: values.file, buildArgs: Object.fromEntries(pairs) });
});
