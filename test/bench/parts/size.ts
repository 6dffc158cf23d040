import { statSync } from "node:fs";
import { NODE_IMAGE } from "../../cluster/images/base.ts";
import { ctr } from "../../cluster/images/load.ts";
import type { Measured } from "../results.ts";

const files = ["main.cjs", "sync-trigger.cjs", "sync-trigger.cache", "sync-trigger.cjs.map"];

/** Bytes of what `npm run build` makes, and of the images as the cluster's containerd has them. */
export async function measureSize(image: string): Promise<Measured[]> {
  const rows = files.map((file) => ({
    ...{
      name: "sync-trigger",
      metric: `bytes of ${file}`,
      unit: "kB",
      values: [statSync(`dist/${file}`).size / 1_000],
    },
  }));
  const own = await sizeOfImage(image);
  const base = await sizeOfImage(NODE_IMAGE);
  if (own === undefined || base === undefined) throw new Error(`containerd has no ${image}, or no ${NODE_IMAGE}`);
  const metric = "image";
  return [
    ...rows,
    { name: "sync-trigger", metric, unit: "MB", values: [own] },
    { name: "Node's own base", metric, unit: "MB", values: [base] },
  ];
}

async function sizeOfImage(name: string): Promise<number | undefined> {
  const listed = await ctr(["images", "ls", `name==${name}`]);
  const [, amount, unit] = /\s([\d.]+) (KiB|MiB|GiB)\s/.exec(listed) ?? [];
  if (!amount || !unit) return undefined;
  return (Number(amount) * { KiB: 1_024, MiB: 1_048_576, GiB: 1_073_741_824 }[unit as "MiB"]) / 1e6;
}
