import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/** An import of one file: of another file by its path below the root, or of a package by its name. */
export type Import = { from: string; to: string; isPackage: boolean; isTypeOnly: boolean };

/** Every source file below a directory, by its path below it. */
export function readSources(root: string): Map<string, string> {
  const paths = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts"));
  return new Map(paths.sort().map((path) => [path, readFileSync(join(root, path), "utf8")]));
}

const statement = /^(?:import|export)\s+(?:(type\s+)?([^;"]*?)\s*from\s+)?"([^"]+)"/gm;
const dynamic = /(typeof\s+)?\bimport\(\s*"([^"]+)"\s*\)/g;

/** What a source file imports, dynamic imports included. */
export function importsOf(from: string, source: string): Import[] {
  const found = [
    ...[...source.matchAll(statement)].map(([, type, names, to]) => ({
      to,
      isTypeOnly: Boolean(type) || isAllTypes(names),
    })),
    ...[...source.matchAll(dynamic)].map(([, type, to]) => ({ to, isTypeOnly: Boolean(type) })),
  ];
  return found.map(({ to = "", isTypeOnly }) => {
    const isPackage = !to.startsWith(".");
    return { from, to: isPackage ? to : normalize(join(dirname(from), to)), isPackage, isTypeOnly };
  });
}

/** Whether every name in braces is imported as a type. */
function isAllTypes(names = ""): boolean {
  const inBraces = /^\{([^}]*)\}$/.exec(names.trim())?.[1];
  const parts = inBraces?.split(",").filter((part) => part.trim() !== "") ?? [];
  return parts.length > 0 && parts.every((part) => part.trim().startsWith("type "));
}
