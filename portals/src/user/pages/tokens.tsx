/** One's own tokens. */

import { useQuery } from "@tanstack/react-query";
import { TokensTab } from "#shared/account/tokens";
import { viewerQuery } from "#shared/api/session";
import { PageHead } from "#shared/ui/shell";

export default function Page() {
  const { data: viewer } = useQuery(viewerQuery);
  return (
    <>
      <PageHead title="Auth tokens" />
      {viewer && <TokensTab userId={viewer.id} />}
    </>
  );
}
