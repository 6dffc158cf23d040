// What the image starts: the bundled program from V8's cached code, so that a cold start compiles nothing.
import { compileProgram } from "./compile-program.ts";
import { nameSourceLines } from "./name-source-lines.ts";

const { script, path, cache } = compileProgram(__dirname);
nameSourceLines(path);
if (cache !== "used") {
  const msg = `code cache ${cache}: made by another Node, or not at all; starting takes longer, nothing else`;
  console.log(JSON.stringify({ level: "warn", time: new Date().toISOString(), msg }));
}
script.runInThisContext()(require);
