/** The auth tokens of the page's user. */

import { TokensTab } from "#shared/account/tokens";
import { useUser } from "./query";

export default function Tab() {
  const user = useUser();
  return user && <TokensTab userId={user.id} />;
}
