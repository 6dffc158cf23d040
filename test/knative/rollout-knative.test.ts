import { describe } from "vitest";
import { schedulePatch, withoutPage } from "./support/copy-overlay.ts";
import { testRollouts } from "./support/rollout-tests.ts";

describe("overlays/kraken", () => {
  const never = schedulePatch("0 0 29 2 *");
  testRollouts({ overlay: "kraken", patches: [never, withoutPage] }, "kubectl -n kraken patch ksvc sync-trigger ");
});
