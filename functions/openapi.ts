import type { Route } from "./route.ts";
export function describeApi(routes: readonly Route[]): object {
  return { routes };
}
