/** What both portals start with: the query client, the session, and who may see what. */

import { QueryClient, QueryClientProvider, useQuery, useQueryClient } from "@tanstack/react-query";
import {
  type ComponentType,
  lazy,
  type ReactNode,
  StrictMode,
  Suspense,
  useCallback,
  useEffect,
  useState,
} from "react";
import { I18nProvider } from "react-aria-components";
import { createRoot } from "react-dom/client";
import { listenToSession } from "./api/ask";
import { RequestError } from "./api/errors";
import { viewerQuery } from "./api/session";
import { watchSession } from "./api/watch";
import { ForcedChange } from "./door/sign-in";
import { ErrorBox, Loading } from "./ui/states";
import { applyTheme } from "./ui/theme";
import "./styles/base.css";
import "./styles/shell.css";

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (count, error) => count < 3 && error instanceof RequestError && error.isTemporary,
      retryDelay: (attempt, error) => Math.max((error as RequestError).retryAfterMs ?? 0, 500 * 2 ** attempt),
    },
  },
});

export function start(app: ReactNode): void {
  applyTheme();
  const root = document.getElementById("root");
  if (!root) throw new Error("The page has no place for the portal.");
  createRoot(root).render(
    <StrictMode>
      <I18nProvider locale="en-US">
        <QueryClientProvider client={queryClient}>{app}</QueryClientProvider>
      </I18nProvider>
    </StrictMode>,
  );
}

/** Shows the portal to whoever is signed in, and the door to everybody else. */
interface SignedInProps {
  door: ReactNode;
  /** Loads the pages, which the door does without. */
  pages: () => Promise<{ default: ComponentType }>;
}

export function SignedIn({ door, pages }: SignedInProps) {
  const [Pages] = useState(() => lazy(pages));
  const queries = useQueryClient();
  const { data, error, refetch, isPending } = useQuery(viewerQuery);
  const askAgain = useCallback(() => {
    // The question itself may be what was told so.
    const { fetchStatus } = queries.getQueryState(viewerQuery.queryKey) ?? {};
    if (fetchStatus !== "fetching") void queries.invalidateQueries({ queryKey: viewerQuery.queryKey });
  }, [queries]);
  useEffect(() => listenToSession(askAgain), [askAgain]);
  const watched = data && !data.mustChangePassword ? data.id : null;
  useEffect(() => {
    if (watched === null) return;
    const stop = watchSession(askAgain);
    return () => {
      stop();
      // Nothing that one user has seen is there for the next one.
      queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== viewerQuery.queryKey[0] });
    };
  }, [queries, askAgain, watched]);
  if (isPending) return <Loading rows={3} />;
  if (error) return <ErrorBox error={error} onRetry={() => void refetch()} />;
  if (data === null) return door;
  if (data.mustChangePassword) return <ForcedChange username={data.username} />;
  return (
    <Suspense fallback={<Loading rows={3} />}>
      <Pages />
    </Suspense>
  );
}
