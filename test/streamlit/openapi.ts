// Prints the function's GET /openapi.json, for the check that its fake answers as it does.
import { healthRoutes } from "../../functions/routes/health.ts";
import { jobRoutes } from "../../functions/routes/jobs.ts";
import { metricsRoute } from "../../functions/routes/metrics.ts";
import { openApiRoute } from "../../functions/routes/openapi.ts";
import { triggerRoutes } from "../../functions/routes/trigger-sync.ts";

const untouched = {} as never; // a description asks nobody for anything
const routes = [...healthRoutes, ...triggerRoutes(untouched), ...jobRoutes(untouched), metricsRoute(untouched)];
const answer = await openApiRoute(routes).methods.GET?.(untouched);
process.stdout.write(JSON.stringify(answer?.json));
