import { createBrowserRouter, Navigate } from "react-router";
import { PageLoading } from "@/components/States";
import { NotFound, RouteError } from "./RouteError";
import { Shell } from "./Shell";

/** A page is a module whose default export is its component; it is loaded when it is first opened. */
function page(load: () => Promise<{ default: React.ComponentType }>) {
  return { lazy: async () => ({ Component: (await load()).default }) };
}

export const router = createBrowserRouter([
  {
    ErrorBoundary: RouteError,
    HydrateFallback: PageLoading,
    children: [
      { path: "/", element: <Navigate to="/dashboard" replace /> },
      { path: "/dashboard/sign-in", ...page(() => import("@/pages/SignIn")) },
      { path: "/dashboard/signed-in", ...page(() => import("@/pages/SignedIn")) },
      {
        path: "/dashboard",
        Component: Shell,
        children: [
          {
            ErrorBoundary: RouteError,
            children: [
              { index: true, ...page(() => import("@/pages/Overview")) },
              { path: "campaigns", ...page(() => import("@/pages/Campaigns")) },
              { path: "campaigns/new", ...page(() => import("@/pages/CampaignWizard")) },
              { path: "campaigns/:id", ...page(() => import("@/pages/CampaignDetail")) },
              { path: "campaigns/:id/edit", ...page(() => import("@/pages/CampaignWizard")) },
              { path: "moderation", ...page(() => import("@/pages/Moderation")) },
              { path: "senders", ...page(() => import("@/pages/Senders")) },
              { path: "opt-outs", ...page(() => import("@/pages/Suppressions")) },
              { path: "settings", ...page(() => import("@/pages/Settings")) },
              { path: "diagnostics", ...page(() => import("@/pages/Diagnostics")) },
              { path: "*", Component: NotFound },
            ],
          },
        ],
      },
      { path: "*", Component: NotFound },
    ],
  },
]);
