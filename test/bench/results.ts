/** What was measured of one program: a value for each round. */
export type Measured = { name: string; metric: string; unit: string; values: number[] };

/** The same as a row of a result file; a ratio is of medians, null where the peer has no such row. */
export type Result = {
  name: string;
  metric: string;
  unit: string;
  median: number;
  min: number;
  max: number;
  rounds: number;
  ratioToFloor: number | null;
  ratioToFastapi: number | null;
};

/** The rows of a run, each beside the floor and FastAPI where those have the same metric. */
export function toResults(measured: Measured[]): Result[] {
  const medianOf = (name: string, metric: string) => {
    const row = measured.find((one) => one.name === name && one.metric === metric);
    return row && median(row.values);
  };
  return measured.map(({ name, metric, unit, values }) => {
    const ratioTo = (peer: string) => {
      const other = medianOf(peer, metric);
      return other ? round(median(values) / other) : null;
    };
    return {
      ...{ name, metric, unit, median: round(median(values)), min: round(Math.min(...values)) },
      ...{ max: round(Math.max(...values)), rounds: values.length },
      ...{ ratioToFloor: ratioTo("floor"), ratioToFastapi: ratioTo("fastapi") },
    };
  });
}

/** The middle value, or the mean of the middle two. Throws for none. */
function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[sorted.length % 2 === 1 ? middle : middle - 1], sorted[middle]];
  if (low === undefined || high === undefined) throw new Error("no values");
  return (low + high) / 2;
}

/** The value that a share of the others is at most as large as. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Rows as a table for people. */
export function toTable(results: readonly Result[]): string {
  const head = ["metric", "program", "median", "min", "max", "unit", "to floor", "to FastAPI"];
  const ratio = (value: number | null) => (value === null ? "" : value.toFixed(2));
  const rows = results.map(({ name, metric, unit, median, min, max, ratioToFloor, ratioToFastapi }) => [
    ...[metric, name, String(median), String(min), String(max), unit, ratio(ratioToFloor), ratio(ratioToFastapi)],
  ]);
  const widths = head.map((_title, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  return [head, ...rows]
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "))
    .join("\n");
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
