/** The pages of the user portal, by their addresses. */

import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { PageHead } from "#shared/ui/shell";
import { ErrorBox, Loading } from "#shared/ui/states";
import { UserShell } from "./shell";

const root = createRootRoute({
  component: UserShell,
  notFoundComponent: () => <PageHead title="There is no such page" />,
});
const page = <P extends string>(path: P, load: () => Promise<{ default: React.ComponentType }>) =>
  createRoute({ getParentRoute: () => root, path, component: lazyRouteComponent(load) });

export const router = createRouter({
  routeTree: root.addChildren([
    page("/", () => import("./pages/home")),
    page("/profile", () => import("./pages/profile")),
    page("/password", () => import("./pages/password")),
    page("/tokens", () => import("./pages/tokens")),
    page("/mailboxes", () => import("./pages/mailboxes")),
    page("/rules", () => import("./pages/rules")),
    page("/config", () => import("./pages/config")),
    page("/sessions", () => import("./pages/sessions")),
    page("/history", () => import("./pages/history")),
  ]),
  defaultPreload: "intent",
  defaultPendingComponent: Loading,
  defaultErrorComponent: ({ error, reset }) => <ErrorBox error={error} onRetry={reset} />,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
