/** One's own profile. */

import { useQuery } from "@tanstack/react-query";
import { ProfileForm } from "#shared/account/profile";
import { viewerQuery } from "#shared/api/session";
import { PageHead } from "#shared/ui/shell";

export default function Page() {
  const { data: viewer } = useQuery(viewerQuery);
  return (
    <>
      <PageHead title="Profile" />
      {viewer && <ProfileForm user={viewer} />}
    </>
  );
}
