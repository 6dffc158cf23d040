import { describe } from "vitest";
import { testRollouts } from "./support/rollout-tests.ts";

describe("overlays/plain-kubernetes", () => {
  testRollouts({ overlay: "plain-kubernetes" }, "kubectl -n kraken rollout restart deployment");
});
