/** The columns of the users grid. */

import { Link } from "@tanstack/react-router";
import type { UserState } from "#graphql/graphql";
import { ago, dateTime, word } from "#shared/format";
import type { GridColumn } from "#shared/ui/grid";

export interface UserInGrid {
  id: string;
  username: string;
  firstName?: string | null;
  lastName?: string | null;
  email?: string | null;
  phone?: string | null;
  state: UserState;
  registeredAt: string;
  updatedAt: string;
  version: number;
  group?: { id: string; name: string } | null;
}

export const StateMark = ({ state }: { state: UserState }) => (
  <span className="state" data-state={state}>
    {word(state)}
  </span>
);

export const Instant = ({ at }: { at: string }) => (
  <time dateTime={at} title={dateTime(at)}>
    {ago(at)}
  </time>
);

export const columns: readonly GridColumn<UserInGrid>[] = [
  {
    id: "username",
    header: "Username",
    sortKey: "USERNAME",
    isRowHeader: true,
    cell: (user) => (
      <Link to="/users/$username" params={{ username: user.username }} tabIndex={-1}>
        {user.username}
      </Link>
    ),
  },
  { id: "firstName", header: "First name", sortKey: "FIRST_NAME", isSecondary: true, cell: (user) => user.firstName },
  { id: "lastName", header: "Last name", sortKey: "LAST_NAME", isSecondary: true, cell: (user) => user.lastName },
  { id: "email", header: "E-mail", sortKey: "EMAIL", isSecondary: true, cell: (user) => user.email },
  { id: "group", header: "Group", sortKey: "GROUP", isSecondary: true, cell: (user) => user.group?.name },
  { id: "state", header: "State", sortKey: "STATE", cell: (user) => <StateMark state={user.state} /> },
  {
    id: "registeredAt",
    header: "Registered",
    sortKey: "REGISTERED_AT",
    isSecondary: true,
    cell: (user) => <Instant at={user.registeredAt} />,
  },
  {
    id: "updatedAt",
    header: "Changed",
    sortKey: "UPDATED_AT",
    isSecondary: true,
    cell: (user) => <Instant at={user.updatedAt} />,
  },
];
