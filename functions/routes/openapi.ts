import type { Route } from "../route.ts";

/** The description of these routes and itself, made when somebody asks for it. */
export function openApiRoute(routes: readonly Route[]): Route {
  const path = "/openapi.json";
  let document: Promise<object> | undefined;
  async function describe(): Promise<object> {
    const { describeApi } = await import("../openapi.ts");
    return describeApi([...routes, route]);
  }
  const route: Route = {
    path,
    methods: {
      GET: async () => {
        document ??= describe();
        return { status: 200, json: await document };
      },
    },
  };
  return route;
}
