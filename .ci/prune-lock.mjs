// npm leaves a platform's package out of the lock when the registry it asks does not have it, but not out of its
// parent's optionalDependencies; npm ci then refuses the lock. `npm run lock` makes the two agree.
import { readFileSync, writeFileSync } from "node:fs";

const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
const locked = new Set(Object.keys(lock.packages).map((path) => path.split("node_modules/").at(-1)));
for (const entry of Object.values(lock.packages)) {
  for (const name of Object.keys(entry.optionalDependencies ?? {})) {
    if (!locked.has(name)) delete entry.optionalDependencies[name];
  }
}
writeFileSync("package-lock.json", `${JSON.stringify(lock, null, 2)}\n`);
