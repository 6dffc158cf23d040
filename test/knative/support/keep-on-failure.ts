import { afterAll, beforeEach } from "vitest";
import type { Installation } from "./install.ts";

/** Removes the installations after the file's tests, unless one failed: then everything stays to be looked at. */
export function removeAfterwards(installations: () => (Installation | undefined)[]): void {
  let hasFailed = false;
  beforeEach(({ onTestFailed }) => {
    onTestFailed(() => {
      hasFailed = true;
    });
  });
  afterAll(async () => {
    if (!hasFailed) await Promise.all(installations().map((installation) => installation?.remove()));
  });
}
