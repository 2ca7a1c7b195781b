/** One's own mailboxes. */

import { useQuery } from "@tanstack/react-query";
import { MailboxesTab } from "#shared/account/mailboxes";
import { viewerQuery } from "#shared/api/session";
import { PageHead } from "#shared/ui/shell";

export default function Page() {
  const { data: viewer } = useQuery(viewerQuery);
  return (
    <>
      <PageHead title="Mailboxes" />
      {viewer && <MailboxesTab userId={viewer.id} />}
    </>
  );
}
