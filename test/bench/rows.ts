import type { Measured } from "./results.ts";

/** Collects values into rows, one for each program and metric. */
export type Rows = {
  add(name: string, metric: string, unit: string, value: number): void;
  all(): Measured[];
};

export function createRows(): Rows {
  const rows = new Map<string, Measured>();
  return {
    add(name, metric, unit, value) {
      const row = rows.get(metric + name) ?? { name, metric, unit, values: [] };
      row.values.push(value);
      rows.set(metric + name, row);
    },
    all: () => [...rows.values()],
  };
}
