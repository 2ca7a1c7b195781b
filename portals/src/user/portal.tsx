/** The pages of the user portal. */

import { RouterProvider } from "@tanstack/react-router";
import { router } from "./routes";

export default function Pages() {
  return <RouterProvider router={router} />;
}
