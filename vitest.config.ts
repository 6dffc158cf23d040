import { defineConfig } from "vitest/config";

// One suite, two targets: "api" runs here on the embedded cluster; test/cluster/run.ts runs the same files on a real one.
export default defineConfig({
  test: {
    reporters: process.env["TEST_REPORT"]
      ? ["default", ["json", { outputFile: process.env["TEST_REPORT"] }]]
      : ["default"],
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/api/**", "test/cluster/**", "test/knative/**"],
        },
      },
      { test: { name: "api", include: ["test/api/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000 } },
      { test: { name: "cluster", include: ["test/cluster/**/*.test.ts"], testTimeout: 180_000, hookTimeout: 180_000 } },
    ],
  },
});
