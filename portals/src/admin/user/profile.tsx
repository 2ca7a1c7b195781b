/** The profile of the page's user. */

import { ProfileForm } from "#shared/account/profile";
import { dateTime } from "#shared/format";
import { useUser } from "./query";

export default function Tab() {
  const user = useUser();
  if (!user) return null;
  return (
    <>
      <ProfileForm user={user} />
      <dl className="facts">
        <dt>Id</dt>
        <dd>
          <code>{user.id}</code>
        </dd>
        <dt>Registered</dt>
        <dd>{dateTime(user.registeredAt)}</dd>
        <dt>Changed</dt>
        <dd>
          {dateTime(user.updatedAt)}, version {user.version}
        </dd>
      </dl>
    </>
  );
}
