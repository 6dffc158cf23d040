import { expect, test } from "vitest";
import { ofKind, readManifests } from "./read-manifests.ts";

const files = readManifests();

/** What a component's PingSource says, its data as the request that it is. */
function clockOf(component: string) {
  const path = `manifests/components/${component}/ping-source.yaml`;
  const spec = ofKind(files, "PingSource").find((file) => file.path === path)?.object.spec as unknown as {
    schedule: string;
    data: string;
    sink: { ref: { kind: string } };
  };
  return { schedule: spec.schedule, request: JSON.parse(spec.data) as object, sink: spec.sink.ref.kind };
}

test("the fallback asks each half hour, by way of the Broker, for a run if none succeeded for 26 h and none goes on", () => {
  expect(clockOf("ping-fallback")).toEqual({
    schedule: "*/30 * * * *",
    request: { reason: "scheduled fallback", ifOlderThan: "26h", onOverlap: "forbid" },
    sink: "Broker",
  });
});

test("the one clock runs whatever happened before, but never beside another run", () => {
  expect(clockOf("one-clock")).toMatchObject({ request: { reason: "schedule" }, sink: "Broker" });
  const path = "manifests/components/one-clock/kustomization.yaml";
  const patches = files
    .find((file) => file.path === path)
    ?.object.patches?.map(({ patch }) => patch)
    .join("\n");
  expect(patches).toMatch(/path: \/data\/OVERLAP_POLICY\s+value: forbid\n/);
});
