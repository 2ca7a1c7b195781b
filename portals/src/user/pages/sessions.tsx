/** One's own sessions. */

import { useQuery } from "@tanstack/react-query";
import { SessionsTab } from "#shared/account/sessions";
import { viewerQuery } from "#shared/api/session";
import { PageHead } from "#shared/ui/shell";

export default function Page() {
  const { data: viewer } = useQuery(viewerQuery);
  return (
    <>
      <PageHead title="Sessions" />
      {viewer && <SessionsTab userId={viewer.id} />}
    </>
  );
}
