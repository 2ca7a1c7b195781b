/** What the users grid shows, as it stands in the address. */

import type { UserFilter, UserOrder, UserSortField, UserState } from "#graphql/graphql";
import type { Sort } from "#shared/ui/grid";

export const STATES: readonly UserState[] = ["PENDING", "ACTIVE", "SUSPENDED", "REJECTED", "DELETED"];
export const SORTS: readonly UserSortField[] = [
  "USERNAME",
  "FIRST_NAME",
  "LAST_NAME",
  "EMAIL",
  "GROUP",
  "STATE",
  "REGISTERED_AT",
  "UPDATED_AT",
];
export const PAGE_SIZE = 50;

export interface UsersSearch {
  q?: string;
  state?: UserState[];
  group?: string[];
  from?: string;
  to?: string;
  sort?: UserSortField;
  desc?: boolean;
  /** Cursors: the page behind one, the page ahead of one, or the last page. */
  after?: string;
  before?: string;
  last?: boolean;
  hide?: string[];
}

const texts = (value: unknown): string[] =>
  (Array.isArray(value) ? value : value === undefined ? [] : [value]).filter(
    (one): one is string => typeof one === "string",
  );

/** Reads an address. What is no value of its parameter is left out. */
export function readUsersSearch(raw: Record<string, unknown>): UsersSearch {
  const known = <T extends string>(all: readonly T[], value: unknown): T[] =>
    all.filter((one) => texts(value).includes(one));
  const state = known(STATES, raw.state);
  const group = texts(raw.group);
  const hide = texts(raw.hide);
  const [sort] = known(SORTS, raw.sort);
  const read: UsersSearch = {};
  const q = raw.q;
  if (typeof q === "string" || typeof q === "number") read.q = String(q);
  if (state.length) read.state = state;
  if (group.length) read.group = group;
  if (hide.length) read.hide = hide;
  if (sort) read.sort = sort;
  for (const name of ["from", "to", "after", "before"] as const) {
    const value = raw[name];
    if (typeof value === "string") read[name] = value;
  }
  for (const name of ["desc", "last"] as const) if (raw[name] === true) read[name] = true;
  return read;
}

/** An instant at the start of a day, as the filter takes it. */
const day = (date: string): string => new Date(`${date}T00:00:00`).toISOString();

export function filterOf(search: UsersSearch): UserFilter {
  return {
    ...(search.q ? { search: search.q } : {}),
    ...(search.state ? { state: search.state } : {}),
    ...(search.group ? { groupId: search.group } : {}),
    ...(search.from ? { registeredAfter: day(search.from) } : {}),
    ...(search.to ? { registeredBefore: day(search.to) } : {}),
  };
}

export const sortOf = (search: UsersSearch): Sort => ({
  key: search.sort ?? "USERNAME",
  descending: search.desc ?? false,
});

export function variablesOf(search: UsersSearch) {
  const { key, descending } = sortOf(search);
  const orderBy: UserOrder = { field: key as UserSortField, direction: descending ? "DESC" : "ASC" };
  const window =
    search.last || search.before !== undefined
      ? { last: PAGE_SIZE, ...(search.before ? { before: search.before } : {}) }
      : { first: PAGE_SIZE, ...(search.after ? { after: search.after } : {}) };
  return { filter: filterOf(search), orderBy, ...window };
}

/** The same without a place in the list: what changes the list begins at its first page. */
export function fromStart({ after: _after, before: _before, last: _last, ...rest }: UsersSearch): UsersSearch {
  return rest;
}
