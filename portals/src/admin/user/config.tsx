/** The UFA config of the page's user. */

import { ConfigTab } from "#shared/account/config";
import { useUser } from "./query";

export default function Tab() {
  const user = useUser();
  return user && <ConfigTab userId={user.id} />;
}
