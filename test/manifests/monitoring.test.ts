import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { FAULTS } from "../../functions/errors.ts";
import { METRICS } from "../../functions/metrics.ts";

const directory = "manifests/components/monitoring";
type Rule = { alert: string; expr: string; labels: { severity: string }; annotations: Record<string, string> };
const { spec } = parse(readFileSync(`${directory}/rules.yaml`, "utf8"));
const rules: Rule[] = spec.groups.flatMap(({ rules: own }: { rules: Rule[] }) => own);
const dashboard = JSON.parse(readFileSync(`${directory}/dashboard.json`, "utf8"));
const panels: { title: string; targets: { expr: string }[] }[] = dashboard.panels;

const expressions = [
  ...rules.map(({ alert, expr }) => [`alert ${alert}`, expr] as const),
  ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [`panel ${title}`, expr] as const)),
];

describe("every expression", () => {
  test.each(expressions)("of %s names metrics that there are", (_what, expr) => {
    const names = [...expr.matchAll(/sync_trigger_[a-z_]+/g)].map(([name]) => name.replace(/_(bucket|sum|count)$/, ""));
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !(name in METRICS))).toEqual([]);
  });

  test.each(expressions)("of %s selects by labels and values that there are", (_what, expr) => {
    const statuses = new Set(Object.values(FAULTS).map(({ status }) => String(status)));
    for (const [, label = "", , value = ""] of expr.matchAll(/(\w+)(=~|!=|=)"([^"]*)"/g)) {
      expect(["namespace", "code", "outcome", "door"]).toContain(label);
      if (label === "code" && /^[\d|]+$/.test(value))
        for (const one of value.split("|")) expect([...statuses]).toContain(one);
      if (label === "outcome") expect(Object.keys(FAULTS)).toContain(value);
      if (label === "door") for (const one of value.split("|")) expect(["http", "event", "ping"]).toContain(one);
    }
  });
});

test("every metric is looked at by an alert or a panel", () => {
  const all = expressions.map(([, expr]) => expr).join(" ");
  expect(Object.keys(METRICS).filter((name) => !all.includes(name))).toEqual([]);
});

test("every alert says how bad it is, what is the matter and what to look at", () => {
  for (const { labels, annotations } of rules) {
    expect(["critical", "warning"]).toContain(labels.severity);
    expect(annotations.summary).toMatch(/.{20}/);
    expect(annotations.description).toMatch(/.{20}/);
  }
});

test("the PodMonitor looks at Knative's pods, past queue-proxy, at the path of the code", () => {
  const { spec: monitor } = parse(readFileSync(`${directory}/pod-monitor.yaml`, "utf8"));
  expect(monitor.selector).toEqual({ matchLabels: { "serving.knative.dev/service": "sync-trigger" } });
  expect(monitor.podMetricsEndpoints).toMatchObject([{ port: "user-port", path: "/metrics" }]);
});
