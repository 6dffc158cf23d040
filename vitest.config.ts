import { defineConfig } from "vitest/config";

const seconds = (count: number) => count * 1_000;
const patience = (count: number) => ({ testTimeout: seconds(count), hookTimeout: seconds(count) });
// Most files mock no module, so they can share a worker's modules; the others are named for it.
const isolate = false;
const isolated = "test/**/*.isolated.test.ts";
const ofOtherProjects = ["api", "hostile", "cluster", "image", "knative"].map((name) => `test/${name}/**`);
// What is promised within seconds is not measured beside everything else.
const timed = ["drain", "history", "keep-alive", "recovery", "rotation", "soak"].map(
  (name) => `test/cluster/${name}.test.ts`,
);
const alone = ["authenticated", "outage"].map((name) => `test/knative/${name}.test.ts`);
const globalSetup = "test/support/bundle-function.ts";

// A kubelet takes its time, most of all when the other files have Jobs too.
const apiPatience = patience(process.env.TEST_TARGET === "real" ? 300 : 90);

// One suite, two targets: "api" runs here on the embedded cluster; test/cluster/run.ts runs the same files on a real one.
export default defineConfig({
  test: {
    reporters: process.env.TEST_REPORT ? ["default", ["json", { outputFile: process.env.TEST_REPORT }]] : ["default"],
    // Most of a file's time is waiting for processes and clusters: more workers than vitest's own choice on few cores.
    maxWorkers: 4,
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: [...ofOtherProjects, isolated],
          isolate,
          ...patience(60),
        },
      },
      { test: { name: "unit-isolated", include: [isolated], ...patience(60) } },
      { test: { name: "api", include: ["test/api/**/*.test.ts"], isolate, globalSetup, ...apiPatience } },
      // After the others: they keep the machine busy on purpose.
      {
        test: {
          name: "hostile",
          include: ["test/hostile/**/*.test.ts"],
          sequence: { groupOrder: 1 },
          ...patience(120),
        },
      },
      // Manifests are rendered here too: a machine without kubectl skips that in "unit", level 2 brings its own.
      {
        test: {
          name: "cluster",
          include: ["test/cluster/**/*.test.ts", "test/manifests/render.test.ts"],
          exclude: timed,
          globalSetup,
          ...patience(300),
        },
      },
      {
        test: {
          name: "cluster-timed",
          include: timed,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          globalSetup,
          ...patience(300),
        },
      },
      { test: { name: "image", include: ["test/image/**/*.test.ts"], ...patience(300) } },
      // Most of a file's time is waiting, so three share the machine; each has an installation of its own.
      {
        test: {
          name: "knative",
          include: ["test/knative/**/*.test.ts"],
          exclude: alone,
          maxWorkers: 3,
          sequence: { groupOrder: 2 },
          ...patience(600),
        },
      },
      // Last and one by one: they change Eventing for the whole cluster, and stop the API server.
      {
        test: {
          name: "knative-outage",
          include: alone,
          maxWorkers: 1,
          sequence: { groupOrder: 3 },
          ...patience(900),
        },
      },
    ],
  },
});
