/** The sessions of the page's user. */

import { SessionsTab } from "#shared/account/sessions";
import { useUser } from "./query";

export default function Tab() {
  const user = useUser();
  return user && <SessionsTab userId={user.id} />;
}
