import { defineConfig } from "vitest/config";

const seconds = (count: number) => count * 1_000;
const patience = (count: number) => ({ testTimeout: seconds(count), hookTimeout: seconds(count) });
const ofOtherProjects = ["test/api/**", "test/cluster/**", "test/knative/**"];

// One suite, two targets: "api" runs here on the embedded cluster; test/cluster/run.ts runs the same files on a real one.
export default defineConfig({
  test: {
    reporters: process.env.TEST_REPORT ? ["default", ["json", { outputFile: process.env.TEST_REPORT }]] : ["default"],
    projects: [
      { test: { name: "unit", include: ["test/**/*.test.ts"], exclude: ofOtherProjects, ...patience(60) } },
      { test: { name: "api", include: ["test/api/**/*.test.ts"], ...patience(90) } },
      { test: { name: "cluster", include: ["test/cluster/**/*.test.ts"], ...patience(300) } },
      // These share one installation of the function, so they run one after the other.
      { test: { name: "knative", include: ["test/knative/**/*.test.ts"], fileParallelism: false, ...patience(600) } },
    ],
  },
});
