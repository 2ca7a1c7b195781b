-- How far webhooks are, on PostgreSQL. The twin of this file is 2.sqlite.sql.

-- The processes that deliver. A process whose beat stands still is dead.
CREATE TABLE operational.webhook_workers (
    id   text PRIMARY KEY,
    beat bigint NOT NULL
);

-- One row a webhook. Who holds it alone changes the rows below.
CREATE TABLE operational.webhook_cursors (
    webhook_id       uuid PRIMARY KEY,
    seen_version     bigint NOT NULL DEFAULT 0,
    created_version  bigint NOT NULL DEFAULT 0,
    begin_version    bigint NOT NULL DEFAULT 0,
    enabled_version  bigint NOT NULL DEFAULT 0,
    holder           text,
    disabled_version bigint,
    last_success_at  bigint,
    last_error       text,
    confirmed_at     bigint
);

-- The offset to read next in each place of the log. Events older than not_before are passed over, if their offset is
-- below old_until.
CREATE TABLE operational.webhook_checkpoints (
    webhook_id uuid NOT NULL,
    place      text NOT NULL,
    next       bigint NOT NULL,
    not_before bigint,
    old_until  bigint,
    halted     text,
    PRIMARY KEY (webhook_id, place)
);

-- Events on their way to a webhook, and those that arrived or were given up. The first one of a user waits for its time;
-- those behind it are queued.
CREATE TABLE operational.webhook_deliveries (
    id           uuid PRIMARY KEY,
    webhook_id   uuid NOT NULL,
    event_id     text NOT NULL,
    event_type   text NOT NULL,
    event_time   bigint NOT NULL,
    user_id      uuid NOT NULL,
    place        text NOT NULL,
    log_offset   bigint NOT NULL,
    body         text,
    state        smallint NOT NULL,
    attempts     bigint NOT NULL,
    due_at       bigint NOT NULL,
    attempted_at bigint,
    status       bigint,
    error        text
);
CREATE INDEX webhook_deliveries_due ON operational.webhook_deliveries (webhook_id, due_at) WHERE state = 1;
CREATE INDEX webhook_deliveries_first ON operational.webhook_deliveries (webhook_id, due_at) WHERE state = 1 AND attempts = 0;
CREATE INDEX webhook_deliveries_of_user ON operational.webhook_deliveries (webhook_id, user_id, log_offset) WHERE state < 2;
CREATE INDEX webhook_deliveries_by_time ON operational.webhook_deliveries (webhook_id, event_time, id);
CREATE INDEX webhook_deliveries_by_state ON operational.webhook_deliveries (webhook_id, state, event_time, id);
CREATE INDEX webhook_deliveries_done ON operational.webhook_deliveries (attempted_at) WHERE state = 2;
