/** The mailboxes of the page's user. */

import { MailboxesTab } from "#shared/account/mailboxes";
import { useUser } from "./query";

export default function Tab() {
  const user = useUser();
  return user && <MailboxesTab userId={user.id} />;
}
