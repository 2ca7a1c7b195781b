-- What the log does not hold, on PostgreSQL. The twin of this file is 1.sqlite.sql.

-- Who is signed in. A session is valid while its credential's version and its user's state still match.
CREATE TABLE operational.sessions (
    token_hash         bytea PRIMARY KEY,
    user_id            uuid NOT NULL,
    credential_version bigint NOT NULL,
    must_change        boolean NOT NULL,
    created_at         bigint NOT NULL,
    last_seen_at       bigint NOT NULL,
    expires_at         bigint NOT NULL,
    client_address     text,
    client_agent       text
);
CREATE INDEX sessions_of_user ON operational.sessions (user_id);
CREATE INDEX sessions_by_expiry ON operational.sessions (expires_at);

-- Failed sign-ins in a row, by the name that was tried, whether or not somebody has it.
CREATE TABLE operational.throttles (
    account         text PRIMARY KEY,
    failures        bigint NOT NULL,
    next_allowed_at bigint NOT NULL
);

-- When each token was used last, to the minute.
CREATE TABLE operational.token_uses (
    token_id uuid PRIMARY KEY,
    used_at  bigint NOT NULL,
    address  text,
    service  text
);
