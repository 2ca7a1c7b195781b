-- How far webhooks are, on SQLite. The twin of this file is 2.postgres.sql.

-- The processes that deliver. A process whose beat stands still is dead.
CREATE TABLE operational.webhook_workers (
    id   TEXT PRIMARY KEY,
    beat INTEGER NOT NULL
) STRICT;

-- One row a webhook. Who holds it alone changes the rows below.
CREATE TABLE operational.webhook_cursors (
    webhook_id       BLOB PRIMARY KEY,
    seen_version     INTEGER NOT NULL DEFAULT 0,
    created_version  INTEGER NOT NULL DEFAULT 0,
    begin_version    INTEGER NOT NULL DEFAULT 0,
    enabled_version  INTEGER NOT NULL DEFAULT 0,
    holder           TEXT,
    disabled_version INTEGER,
    last_success_at  INTEGER,
    last_error       TEXT,
    confirmed_at     INTEGER
) STRICT;

-- The offset to read next in each place of the log. Events older than not_before are passed over, if their offset is
-- below old_until.
CREATE TABLE operational.webhook_checkpoints (
    webhook_id BLOB NOT NULL,
    place      TEXT NOT NULL,
    next       INTEGER NOT NULL,
    not_before INTEGER,
    old_until  INTEGER,
    halted     TEXT,
    PRIMARY KEY (webhook_id, place)
) STRICT;

-- Events on their way to a webhook, and those that arrived or were given up. The first one of a user waits for its time;
-- those behind it are queued.
CREATE TABLE operational.webhook_deliveries (
    id           BLOB PRIMARY KEY,
    webhook_id   BLOB NOT NULL,
    event_id     TEXT NOT NULL,
    event_type   TEXT NOT NULL,
    event_time   INTEGER NOT NULL,
    user_id      BLOB NOT NULL,
    place        TEXT NOT NULL,
    log_offset   INTEGER NOT NULL,
    body         TEXT,
    state        INTEGER NOT NULL,
    attempts     INTEGER NOT NULL,
    due_at       INTEGER NOT NULL,
    attempted_at INTEGER,
    status       INTEGER,
    error        TEXT
) STRICT;
CREATE INDEX operational.webhook_deliveries_due ON webhook_deliveries (webhook_id, due_at) WHERE state = 1;
CREATE INDEX operational.webhook_deliveries_first ON webhook_deliveries (webhook_id, due_at) WHERE state = 1 AND attempts = 0;
CREATE INDEX operational.webhook_deliveries_of_user ON webhook_deliveries (webhook_id, user_id, log_offset) WHERE state < 2;
CREATE INDEX operational.webhook_deliveries_by_time ON webhook_deliveries (webhook_id, event_time, id);
CREATE INDEX operational.webhook_deliveries_by_state ON webhook_deliveries (webhook_id, state, event_time, id);
CREATE INDEX operational.webhook_deliveries_done ON webhook_deliveries (attempted_at) WHERE state = 2;
