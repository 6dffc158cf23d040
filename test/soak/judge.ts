import { quarterMedian } from "./gauge.ts";
import type { SoakReport } from "./run-soak.ts";

/** What the manifests give a pod, MB. */
const memoryLimitMb = 256;
/** From the second quarter to the last; the first is for warming up. V8 keeps a part of its heap as it sees fit. */
const mayGrowMb = 24;

/** Of sockets the traffic opens as many as its clients need, by chance some more at one time than at another. */
const maySwing = 1.5;
const mayGrowSockets = 5;

/** The share of requests for which a busy machine's API server may be too slow. */
const maySlow = 0.01;

/** What is wrong with a soak, a sentence each. */
export function judge({ readings, requests, wrong, slow, sockets, exitCode }: SoakReport): string[] {
  const [early, late] = [quarterMedian(readings, 1, "rssMb"), quarterMedian(readings, 3, "rssMb")];
  const [earlySockets, lateSockets] = [quarterMedian(readings, 1, "sockets"), quarterMedian(readings, 3, "sockets")];
  const peak = Math.max(...readings.map(({ rssMb }) => rssMb));
  return [
    ...(wrong.count > 0 ? [`${wrong.count} wrong answers: ${wrong.examples.join("; ")}`] : []),
    ...(slow <= requests * maySlow ? [] : [`${slow} of ${requests} got 503 or 504 from an API server that was there`]),
    ...(late - early <= mayGrowMb ? [] : [`memory grew from ${early} to ${late} MB`]),
    ...(peak < memoryLimitMb ? [] : [`memory reached ${peak} MB`]),
    ...(lateSockets <= earlySockets * maySwing + mayGrowSockets
      ? []
      : [`sockets grew from ${earlySockets} to ${lateSockets}`]),
    ...(sockets.after <= sockets.before ? [] : [`${sockets.after} sockets stayed open, ${sockets.before} before`]),
    ...(exitCode === 0 ? [] : [`the function ended with ${exitCode}`]),
  ];
}

/** The figures of a soak, a line each. */
export function describe({ readings, requests, wrong, slow, sockets, counts }: SoakReport): string[] {
  const medians = (what: "rssMb" | "sockets") => [0, 1, 2, 3].map((quarter) => quarterMedian(readings, quarter, what));
  const rows = Object.entries(counts).sort(([a], [b]) => a.localeCompare(b));
  return [
    ...rows.map(([name, count]) => `${String(count).padStart(8)} ${name}`),
    `${requests} requests, ${wrong.count} wrong answers; 503 or 504 although the API server was there: ${slow}`,
    `memory, medians of the quarters: ${medians("rssMb").join(", ")} MB; most ${Math.max(...readings.map(({ rssMb }) => rssMb))} MB`,
    `sockets, medians of the quarters: ${medians("sockets").join(", ")}; before ${sockets.before}, after ${sockets.after}`,
  ];
}
