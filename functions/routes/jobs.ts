import type { AppContext } from "../app.ts";
import type { Handler, Route } from "../route.ts";

/** Routes that show runs and their logs. What they need is loaded by the first request, not when we start. */
export function jobRoutes(context: AppContext): Route[] {
  let handlers: ReturnType<typeof load> | undefined;
  async function load() {
    const { createJobHandlers } = await import("./job-handlers.ts");
    return createJobHandlers(context);
  }
  const by = (name: "list" | "show" | "readLog"): Handler => {
    return async (request) => {
      handlers ??= load();
      return (await handlers)[name](request);
    };
  };
  return [
    { path: "/jobs", methods: { GET: by("list") } },
    { path: "/jobs/:name", methods: { GET: by("show") } },
    { path: "/jobs/:name/logs", methods: { GET: by("readLog") } },
  ];
}
