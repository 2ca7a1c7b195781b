/** One's own history. */

import { useQuery } from "@tanstack/react-query";
import { HistoryTab } from "#shared/account/history";
import { viewerQuery } from "#shared/api/session";
import { PageHead } from "#shared/ui/shell";

export default function Page() {
  const { data: viewer } = useQuery(viewerQuery);
  return (
    <>
      <PageHead title="History" />
      {viewer && <HistoryTab userId={viewer.id} />}
    </>
  );
}
