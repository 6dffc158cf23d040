import type { Route } from "../route.ts";

const ok = { status: 200, json: { status: "ok" } };

/**
 * The probes of Knative and func. Readiness does not ask the API server: its outage would turn every answer into an
 * opaque 503 of the gateway.
 */
export const healthRoutes: Route[] = [
  { path: "/health/liveness", methods: { GET: () => ok } },
  { path: "/health/readiness", methods: { GET: () => ok } },
];
