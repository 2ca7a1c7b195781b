/** The agent rules of the page's user. */

import { RulesTab } from "#shared/account/rules";
import { useUser } from "./query";

export default function Tab() {
  const user = useUser();
  return user && <RulesTab userId={user.id} />;
}
