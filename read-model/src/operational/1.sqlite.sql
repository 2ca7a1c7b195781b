-- What the log does not hold, on SQLite. The twin of this file is 1.postgres.sql.

-- Who is signed in. A session is valid while its credential's version and its user's state still match.
CREATE TABLE operational.sessions (
    token_hash         BLOB PRIMARY KEY,
    user_id            BLOB NOT NULL,
    credential_version INTEGER NOT NULL,
    must_change        INTEGER NOT NULL,
    created_at         INTEGER NOT NULL,
    last_seen_at       INTEGER NOT NULL,
    expires_at         INTEGER NOT NULL,
    client_address     TEXT,
    client_agent       TEXT
) STRICT;
CREATE INDEX operational.sessions_of_user ON sessions (user_id);
CREATE INDEX operational.sessions_by_expiry ON sessions (expires_at);

-- Failed sign-ins in a row, by the name that was tried, whether or not somebody has it.
CREATE TABLE operational.throttles (
    account         TEXT PRIMARY KEY,
    failures        INTEGER NOT NULL,
    next_allowed_at INTEGER NOT NULL
) STRICT;

-- When each token was used last, to the minute.
CREATE TABLE operational.token_uses (
    token_id BLOB PRIMARY KEY,
    used_at  INTEGER NOT NULL,
    address  TEXT,
    service  TEXT
) STRICT;
