/** What a part of a page shows instead of its rows: loading, nothing, an error, no right. */

import { type ReactNode, useEffect, useState } from "react";
import { Button } from "react-aria-components";
import { RequestError } from "#shared/api/errors";

/** A skeleton, after a moment: what comes at once should not flicker. */
export function Loading({ rows = 8, label = "Loading" }: { rows?: number; label?: string }) {
  const [visible, setVisible] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setVisible(true), 150);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className="loading" role="status" aria-busy="true" aria-label={label}>
      {visible && [...Array(rows).keys()].map((row) => <div key={row} className="skeleton" />)}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children}
    </div>
  );
}

/** An error with its correlation id, by which an operator finds the cause, and a way on. */
export function ErrorBox({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const known = error instanceof RequestError ? error : null;
  if (known?.code === "FORBIDDEN") return <Forbidden />;
  return (
    <div className="error-box" role="alert">
      <p>{known?.message ?? "Something went wrong in this page."}</p>
      {known?.correlationId && (
        <p className="hint">
          Request <code>{known.correlationId}</code>
        </p>
      )}
      {onRetry && <Retry after={known?.retryAfterMs ?? 0} onRetry={onRetry} />}
    </div>
  );
}

function Retry({ after, onRetry }: { after: number; onRetry: () => void }) {
  const [left, setLeft] = useState(Math.ceil(after / 1000));
  useEffect(() => {
    if (left <= 0) return;
    const timer = setTimeout(() => setLeft(left - 1), 1000);
    return () => clearTimeout(timer);
  }, [left]);
  return (
    <Button className="button" isDisabled={left > 0} onPress={onRetry}>
      {left > 0 ? `Try again in ${left} s` : "Try again"}
    </Button>
  );
}

export function Forbidden({ right = "administrator" }: { right?: string }) {
  return (
    <div className="empty">
      <h2 className="empty-title">This is not open to you</h2>
      <p>It takes the right “{right}”. Ask an administrator for it.</p>
    </div>
  );
}
