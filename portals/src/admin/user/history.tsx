/** The history of the page's user. */

import { HistoryTab } from "#shared/account/history";
import { useUser } from "./query";

export default function Tab() {
  const user = useUser();
  return user && <HistoryTab userId={user.id} />;
}
