/** Audit entries as a list that opens: who did what to whom, when, from where, and what changed. */

import { Button, Disclosure, DisclosurePanel, Heading } from "react-aria-components";
import { dateTime } from "#shared/format";

export interface Entry {
  id: string;
  time: string;
  actorName: string;
  action: string;
  targetName?: string | null;
  outcome: string;
  clientAddress?: string | null;
  userAgent?: string | null;
  commandId?: string | null;
  correlationId?: string | null;
  position?: string | null;
  changes: readonly { field: string; old?: string | null; new?: string | null }[];
}

export function Entries({ entries }: { entries: readonly Entry[] }) {
  return (
    <div className="grid-scroll">
      {entries.map((entry) => (
        <Disclosure key={entry.id} className="entry">
          <Heading level={3} className="entry-head">
            <Button slot="trigger" className="entry-button">
              <time dateTime={entry.time}>{dateTime(entry.time)}</time>
              <strong>{entry.actorName}</strong>
              <code>{entry.action}</code>
              <span>{entry.targetName}</span>
              {entry.outcome !== "ALLOWED" && <span className="form-error">{entry.outcome.toLowerCase()}</span>}
            </Button>
          </Heading>
          <DisclosurePanel className="entry-panel">
            {entry.changes.length > 0 && (
              <table className="grid">
                <thead>
                  <tr>
                    <th scope="col">Field</th>
                    <th scope="col">Before</th>
                    <th scope="col">After</th>
                  </tr>
                </thead>
                <tbody>
                  {entry.changes.map((change) => (
                    <tr key={change.field}>
                      <th scope="row">{change.field}</th>
                      <td className="wrap">{change.old ?? "–"}</td>
                      <td className="wrap">{change.new ?? "–"}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            )}
            <dl className="facts">
              <dt>From</dt>
              <dd>{entry.clientAddress ?? "–"}</dd>
              <dt>With</dt>
              <dd>{entry.userAgent ?? "–"}</dd>
              <dt>Command</dt>
              <dd>
                <code>{entry.commandId ?? "–"}</code>
              </dd>
              <dt>Request</dt>
              <dd>
                <code>{entry.correlationId ?? "–"}</code>
              </dd>
              <dt>Position</dt>
              <dd>
                <code>{entry.position ?? "–"}</code>
              </dd>
            </dl>
          </DisclosurePanel>
        </Disclosure>
      ))}
    </div>
  );
}
