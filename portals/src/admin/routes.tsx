/** The pages of the admin portal, by their addresses. Each page but the users grid is loaded when it is first opened. */

import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { PageHead } from "#shared/ui/shell";
import { ErrorBox, Loading } from "#shared/ui/states";
import { AdminShell } from "./shell";
import { readUsersSearch } from "./users/search";

const root = createRootRoute({
  component: AdminShell,
  notFoundComponent: () => <PageHead title="There is no such page" />,
});
const page = <P extends string>(path: P, load: () => Promise<{ default: React.ComponentType }>) =>
  createRoute({ getParentRoute: () => root, path, component: lazyRouteComponent(load) });

const overview = page("/", () => import("./pages/overview"));
export const usersRoute = createRoute({
  getParentRoute: () => root,
  path: "/users",
  validateSearch: readUsersSearch,
  component: lazyRouteComponent(() => import("./users/page")),
});
const pending = page("/pending", () => import("./pages/pending"));
const groups = page("/groups", () => import("./pages/groups"));
export const auditRoute = createRoute({
  getParentRoute: () => root,
  path: "/audit",
  validateSearch: (search): { after?: string; before?: string; actor?: string; action?: string; outcome?: string } =>
    Object.fromEntries(
      ["after", "before", "actor", "action", "outcome"].flatMap((name) =>
        typeof search[name] === "string" ? [[name, search[name]]] : [],
      ),
    ),
  component: lazyRouteComponent(() => import("./pages/audit")),
});

const userRoute = createRoute({
  getParentRoute: () => root,
  path: "/users/$username",
  component: lazyRouteComponent(() => import("./user/page")),
});
const tab = <P extends string>(path: P, load: () => Promise<{ default: React.ComponentType }>) =>
  createRoute({ getParentRoute: () => userRoute, path, component: lazyRouteComponent(load) });
const tabs = [
  tab("/", () => import("./user/profile")),
  tab("/config", () => import("./user/config")),
  tab("/rules", () => import("./user/rules")),
  tab("/tokens", () => import("./user/tokens")),
  tab("/mailboxes", () => import("./user/mailboxes")),
  tab("/sessions", () => import("./user/sessions")),
  tab("/history", () => import("./user/history")),
];

export const router = createRouter({
  routeTree: root.addChildren([overview, usersRoute, pending, groups, auditRoute, userRoute.addChildren(tabs)]),
  basepath: "/admin",
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
