import { readFileSync } from "node:fs";

/** The shell blocks of a section of README, as printed. Throws where the section or its blocks are missing. */
export function readShellBlocks(heading: string): string[] {
  const readme = readFileSync("README.md", "utf8");
  const [, section] = readme.split(`\n## ${heading}\n`);
  const blocks = [...(section?.split("\n## ")[0] ?? "").matchAll(/^```sh\n(.*?)^```$/gms)].map(
    ([, block = ""]) => block,
  );
  if (blocks.length === 0) throw new Error(`README has no shell block under "${heading}"`);
  return blocks;
}
