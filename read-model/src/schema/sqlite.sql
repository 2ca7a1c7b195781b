-- The views on SQLite. What is kept here is filled from the log alone. The twin of this file is postgres.sql.
-- Instants are microseconds since 1970. Text that is sorted or searched compares by bytes, as in PostgreSQL with the collation "C".

-- Up to where each place of the log has been seen, and how sure that is. The anchor is the last record before that point.
-- latest_at is the greatest time of an audit entry; skew is how far ordered_at was ahead of at, at most.
CREATE TABLE checkpoints (
    place             TEXT PRIMARY KEY,
    next              INTEGER NOT NULL,
    anchor_offset     INTEGER,
    anchor_digest     TEXT,
    latest_at         INTEGER,
    skew              INTEGER NOT NULL DEFAULT 0,
    confirmed_at      INTEGER,
    unreachable_since INTEGER,
    halted_offset     INTEGER,
    halted_reason     TEXT,
    halted_at         INTEGER
) STRICT, WITHOUT ROWID;

-- Columns *_key are what lists sort by: case-folded (of a phone number its digits and +), empty where there is nothing.
CREATE TABLE users (
    id                     BLOB PRIMARY KEY,
    username               TEXT NOT NULL UNIQUE,
    first_name             TEXT,
    first_name_key         TEXT NOT NULL,
    last_name              TEXT,
    last_name_key          TEXT NOT NULL,
    phone                  TEXT,
    phone_key              TEXT NOT NULL,
    email                  TEXT,
    email_key              TEXT NOT NULL,
    group_id               BLOB,
    group_name             TEXT,
    group_key              TEXT NOT NULL,
    state                  INTEGER NOT NULL,
    state_reason           TEXT,
    roles                  INTEGER NOT NULL,
    must_change_password   INTEGER NOT NULL,
    registered_at          INTEGER NOT NULL,
    updated_at             INTEGER NOT NULL,
    version                INTEGER NOT NULL,
    log_partition          INTEGER NOT NULL,
    log_offset             INTEGER NOT NULL,
    terms                  TEXT NOT NULL,
    ufa_debug              INTEGER NOT NULL,
    ufa_log_file           TEXT NOT NULL,
    ufa_heartbeat_interval INTEGER NOT NULL,
    ufa_config_interval    INTEGER NOT NULL,
    ufa_max_jobs           INTEGER NOT NULL,
    ufa_version            INTEGER NOT NULL,
    ufa_updated_at         INTEGER NOT NULL
) STRICT;

-- One for each order that the grid knows; the username makes every order total.
CREATE INDEX users_by_first_name ON users (first_name_key, username);
CREATE INDEX users_by_last_name ON users (last_name_key, username);
CREATE INDEX users_by_email ON users (email_key, username);
CREATE INDEX users_by_phone ON users (phone_key, username);
CREATE INDEX users_by_group ON users (group_key, username);
CREATE INDEX users_by_state ON users (state, username);
CREATE INDEX users_by_registered_at ON users (registered_at, username);
CREATE INDEX users_by_updated_at ON users (updated_at, username);
CREATE INDEX users_of_group ON users (group_id) WHERE group_id IS NOT NULL;
CREATE INDEX users_of_password ON users (must_change_password, username);
-- Nearly everybody holds the role of a user alone, which is 1; who holds more is what people look for.
CREATE INDEX users_of_roles ON users (roles, username) WHERE roles <> 1;
-- Who changed since a position: what follows the views asks it after each of their commits.
CREATE INDEX users_by_last_event ON users (log_partition, log_offset);

-- Under what a user is found: names, address and username, and what follows each separator in them.
CREATE TABLE user_terms (
    term    TEXT NOT NULL,
    user_id BLOB NOT NULL,
    PRIMARY KEY (term, user_id)
) STRICT, WITHOUT ROWID;

-- How each user was, from one event to the next: a row for each event, which holds from `since` until the next one's `since`. No
-- span begins before an earlier one of its user; skew is how far `since` is ahead of the event's time. `event` is its
-- wire name, without the part that all have, and its data.
CREATE TABLE user_spans (
    user_id  BLOB NOT NULL,
    sequence INTEGER NOT NULL,
    since    INTEGER NOT NULL,
    until    INTEGER,
    skew     INTEGER NOT NULL,
    state    INTEGER NOT NULL,
    group_id BLOB,
    event    TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX user_spans_of_user ON user_spans (user_id, sequence);
CREATE INDEX user_spans_by_state ON user_spans (state, since, user_id);
CREATE INDEX user_spans_by_group ON user_spans (group_id, since, user_id) WHERE group_id IS NOT NULL;

-- group_id is nil for users of every group and of none.
CREATE TABLE user_counts (
    group_id      BLOB NOT NULL,
    state         INTEGER NOT NULL,
    log_partition INTEGER NOT NULL,
    n             INTEGER NOT NULL,
    PRIMARY KEY (group_id, state, log_partition)
) STRICT, WITHOUT ROWID;

-- A deleted group stays as a row that nobody is shown: its events are numbered on when the name is taken again.
CREATE TABLE groups (
    id          BLOB PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    description TEXT,
    phone       TEXT,
    email       TEXT,
    closed      INTEGER NOT NULL,
    deleted     INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE agent_rules (
    id      BLOB PRIMARY KEY,
    user_id BLOB NOT NULL,
    name    TEXT NOT NULL,
    rule    TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX agent_rules_of_user ON agent_rules (user_id, name);

CREATE TABLE mailboxes (
    id          BLOB PRIMARY KEY,
    user_id     BLOB NOT NULL,
    name        TEXT NOT NULL,
    description TEXT,
    created_at  INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX mailboxes_of_user ON mailboxes (user_id, name);

CREATE TABLE auth_tokens (
    id               BLOB PRIMARY KEY,
    user_id          BLOB NOT NULL,
    name             TEXT NOT NULL,
    scopes           TEXT NOT NULL,
    allowed_networks TEXT NOT NULL,
    version          INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    expires_at       INTEGER,
    revoked          INTEGER NOT NULL
) STRICT;
CREATE INDEX auth_tokens_of_user ON auth_tokens (user_id, version, id);

-- A keyed copy of its topic. The id is that of the token, or of the user for the password.
CREATE TABLE credentials (
    id         BLOB PRIMARY KEY,
    user_id    BLOB NOT NULL,
    is_token   INTEGER NOT NULL,
    version    INTEGER NOT NULL,
    credential TEXT NOT NULL
) STRICT;

-- A deleted webhook stays as a row that nobody is shown: its events are numbered on when the name is taken again.
CREATE TABLE webhooks (
    id               BLOB PRIMARY KEY,
    name             TEXT NOT NULL,
    url              TEXT NOT NULL,
    types            TEXT NOT NULL,
    group_id         BLOB,
    group_name       TEXT,
    content_type     TEXT NOT NULL,
    paused           INTEGER NOT NULL,
    deleted          INTEGER NOT NULL,
    version          INTEGER NOT NULL,
    created_version  INTEGER NOT NULL,
    enabled_version  INTEGER NOT NULL,
    begin_version    INTEGER NOT NULL,
    begin_after      TEXT NOT NULL,
    begin_from       INTEGER,
    secret           INTEGER NOT NULL,
    old_secret       INTEGER,
    old_secret_until INTEGER,
    created_at       INTEGER NOT NULL
) STRICT;

-- A keyed copy of the secrets of webhooks, sealed.
CREATE TABLE webhook_secrets (
    id         TEXT PRIMARY KEY,
    webhook_id BLOB NOT NULL,
    number     INTEGER NOT NULL,
    sealed     TEXT NOT NULL
) STRICT;
CREATE INDEX webhook_secrets_of_webhook ON webhook_secrets (webhook_id, number);

CREATE TABLE audit (
    id             BLOB PRIMARY KEY,
    at             INTEGER NOT NULL,
    ordered_at     INTEGER NOT NULL,
    actor_id       BLOB,
    actor_name     TEXT NOT NULL,
    actor_role     TEXT,
    action         TEXT NOT NULL,
    target_kind    TEXT,
    target_id      BLOB,
    target_name    TEXT,
    outcome        INTEGER NOT NULL,
    changes        TEXT NOT NULL,
    client_address TEXT,
    client_agent   TEXT,
    command_id     TEXT,
    correlation_id TEXT,
    log_stream     TEXT NOT NULL,
    log_partition  INTEGER NOT NULL,
    log_offset     INTEGER NOT NULL
) STRICT;
CREATE INDEX audit_by_order ON audit (ordered_at, log_offset, id);
CREATE INDEX audit_of_target ON audit (target_id, ordered_at, log_offset, id) WHERE target_id IS NOT NULL;
CREATE INDEX audit_of_actor ON audit (actor_id, ordered_at, log_offset, id) WHERE actor_id IS NOT NULL;
CREATE INDEX audit_by_action ON audit (action, ordered_at, log_offset, id);
-- Nearly everything is allowed; what was not is what people look for.
CREATE INDEX audit_not_allowed ON audit (outcome, ordered_at, log_offset, id) WHERE outcome <> 0;
