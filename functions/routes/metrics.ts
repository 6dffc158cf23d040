import type { Metrics } from "../metrics.ts";
import type { Route } from "../route.ts";

/** `GET /metrics` for Prometheus, which scrapes pods: a scrape of the Service would keep it from going to zero. */
export function metricsRoute(metrics: Metrics): Route {
  return {
    path: "/metrics",
    methods: {
      GET: async () => {
        const { contentType, text } = await metrics.render();
        return { status: 200, headers: { "Content-Type": contentType }, json: text };
      },
    },
  };
}
