/** One's own config. */

import { useQuery } from "@tanstack/react-query";
import { ConfigTab } from "#shared/account/config";
import { viewerQuery } from "#shared/api/session";
import { PageHead } from "#shared/ui/shell";

export default function Page() {
  const { data: viewer } = useQuery(viewerQuery);
  return (
    <>
      <PageHead title="UFA config" />
      {viewer && <ConfigTab userId={viewer.id} />}
    </>
  );
}
