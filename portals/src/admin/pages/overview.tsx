/** What an administrator wants to know first: how many users stand where, and who waits. */

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ask } from "#shared/api/ask";
import { graphql } from "#shared/api/graphql";
import { count } from "#shared/format";
import { PageHead } from "#shared/ui/shell";
import { ErrorBox, Loading } from "#shared/ui/states";

const Overview = graphql(`
  query Overview {
    pending: users(filter: { state: [PENDING] }, orderBy: { field: REGISTERED_AT }, first: 1) { totalCount totalCountCapped nodes { registeredAt } }
    active: users(filter: { state: [ACTIVE] }, first: 0) { totalCount totalCountCapped }
    suspended: users(filter: { state: [SUSPENDED] }, first: 0) { totalCount totalCountCapped }
    rejected: users(filter: { state: [REJECTED] }, first: 0) { totalCount totalCountCapped }
    deleted: users(filter: { state: [DELETED] }, first: 0) { totalCount totalCountCapped }
  }
`);

const CARDS = [
  { name: "pending", label: "Pending", state: "PENDING" },
  { name: "active", label: "Active", state: "ACTIVE" },
  { name: "suspended", label: "Suspended", state: "SUSPENDED" },
  { name: "rejected", label: "Rejected", state: "REJECTED" },
  { name: "deleted", label: "Deleted", state: "DELETED" },
] as const;

export default function OverviewPage() {
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["overview"],
    queryFn: ({ signal }) => ask(Overview, {}, signal),
    refetchInterval: 30_000,
  });
  return (
    <>
      <PageHead title="Overview" />
      {isPending && <Loading />}
      {error && <ErrorBox error={error} onRetry={() => void refetch()} />}
      {data && (
        <div className="cards">
          {CARDS.map(({ name, label, state }) => (
            <section className="card" key={name} aria-label={label}>
              <h2>{label}</h2>
              <p className="figure">
                {count(data[name]?.totalCount ?? 0)}
                {data[name]?.totalCountCapped ? "+" : ""}
              </p>
              <Link to="/users" search={{ state: [state] }}>
                Show them
              </Link>
            </section>
          ))}
        </div>
      )}
    </>
  );
}
