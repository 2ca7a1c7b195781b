/** One's own rules. */

import { useQuery } from "@tanstack/react-query";
import { RulesTab } from "#shared/account/rules";
import { viewerQuery } from "#shared/api/session";
import { PageHead } from "#shared/ui/shell";

export default function Page() {
  const { data: viewer } = useQuery(viewerQuery);
  return (
    <>
      <PageHead title="Agent rules" />
      {viewer && <RulesTab userId={viewer.id} />}
    </>
  );
}
