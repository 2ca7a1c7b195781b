-- The views on PostgreSQL. What is kept here is filled from the log alone. The twin of this file is sqlite.sql.
-- Instants are microseconds since 1970. Text that is sorted or searched compares by bytes (collation "C"), as in SQLite.

-- Up to where each place of the log has been seen, and how sure that is. The anchor is the last record before that point.
-- latest_at is the greatest time of an audit entry; skew is how far ordered_at was ahead of at, at most.
CREATE TABLE checkpoints (
    place             text PRIMARY KEY,
    next              bigint NOT NULL,
    anchor_offset     bigint,
    anchor_digest     text,
    latest_at         bigint,
    skew              bigint NOT NULL DEFAULT 0,
    confirmed_at      bigint,
    unreachable_since bigint,
    halted_offset     bigint,
    halted_reason     text,
    halted_at         bigint
) WITH (fillfactor = 50);

-- Columns *_key are what lists sort by: case-folded (of a phone number its digits and +), empty where there is nothing.
CREATE TABLE users (
    id                     uuid PRIMARY KEY,
    username               text COLLATE "C" NOT NULL UNIQUE,
    first_name             text,
    first_name_key         text COLLATE "C" NOT NULL,
    last_name              text,
    last_name_key          text COLLATE "C" NOT NULL,
    phone                  text,
    phone_key              text COLLATE "C" NOT NULL,
    email                  text,
    email_key              text COLLATE "C" NOT NULL,
    group_id               uuid,
    group_name             text,
    group_key              text COLLATE "C" NOT NULL,
    state                  smallint NOT NULL,
    state_reason           text,
    roles                  smallint NOT NULL,
    must_change_password   boolean NOT NULL,
    registered_at          bigint NOT NULL,
    updated_at             bigint NOT NULL,
    version                bigint NOT NULL,
    log_partition          bigint NOT NULL,
    log_offset             bigint NOT NULL,
    terms                  text COLLATE "C" NOT NULL,
    ufa_debug              boolean NOT NULL,
    ufa_log_file           text NOT NULL,
    ufa_heartbeat_interval bigint NOT NULL,
    ufa_config_interval    bigint NOT NULL,
    ufa_max_jobs           bigint NOT NULL,
    ufa_version            bigint NOT NULL,
    ufa_updated_at         bigint NOT NULL
);

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
    term    text COLLATE "C" NOT NULL,
    user_id uuid NOT NULL,
    PRIMARY KEY (term, user_id)
);

-- How each user was, from one event to the next: a row for each event, which holds from `since` until the next one's `since`. No
-- span begins before an earlier one of its user; skew is how far `since` is ahead of the event's time. `event` is its
-- wire name, without the part that all have, and its data.
CREATE TABLE user_spans (
    user_id  uuid NOT NULL,
    sequence bigint NOT NULL,
    since    bigint NOT NULL,
    until    bigint,
    skew     bigint NOT NULL,
    state    smallint NOT NULL,
    group_id uuid,
    event    text NOT NULL
);
CREATE UNIQUE INDEX user_spans_of_user ON user_spans (user_id, sequence);
CREATE INDEX user_spans_by_state ON user_spans (state, since, user_id);
CREATE INDEX user_spans_by_group ON user_spans (group_id, since, user_id) WHERE group_id IS NOT NULL;

-- group_id is nil for users of every group and of none.
CREATE TABLE user_counts (
    group_id      uuid NOT NULL,
    state         smallint NOT NULL,
    log_partition bigint NOT NULL,
    n             bigint NOT NULL,
    PRIMARY KEY (group_id, state, log_partition)
) WITH (fillfactor = 50);

-- A deleted group stays as a row that nobody is shown: its events are numbered on when the name is taken again.
CREATE TABLE groups (
    id          uuid PRIMARY KEY,
    name        text COLLATE "C" NOT NULL UNIQUE,
    description text,
    phone       text,
    email       text,
    closed      boolean NOT NULL,
    deleted     boolean NOT NULL,
    version     bigint NOT NULL,
    updated_at  bigint NOT NULL
);

CREATE TABLE agent_rules (
    id      uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    name    text COLLATE "C" NOT NULL,
    rule    text NOT NULL
);
CREATE UNIQUE INDEX agent_rules_of_user ON agent_rules (user_id, name);

CREATE TABLE mailboxes (
    id          uuid PRIMARY KEY,
    user_id     uuid NOT NULL,
    name        text COLLATE "C" NOT NULL,
    description text,
    created_at  bigint NOT NULL
);
CREATE UNIQUE INDEX mailboxes_of_user ON mailboxes (user_id, name);

CREATE TABLE auth_tokens (
    id               uuid PRIMARY KEY,
    user_id          uuid NOT NULL,
    name             text NOT NULL,
    scopes           text NOT NULL,
    allowed_networks text NOT NULL,
    version          bigint NOT NULL,
    created_at       bigint NOT NULL,
    expires_at       bigint,
    revoked          boolean NOT NULL
);
CREATE INDEX auth_tokens_of_user ON auth_tokens (user_id, version, id);

-- A keyed copy of its topic. The id is that of the token, or of the user for the password.
CREATE TABLE credentials (
    id         uuid PRIMARY KEY,
    user_id    uuid NOT NULL,
    is_token   boolean NOT NULL,
    version    bigint NOT NULL,
    credential text NOT NULL
);

-- A deleted webhook stays as a row that nobody is shown: its events are numbered on when the name is taken again.
CREATE TABLE webhooks (
    id               uuid PRIMARY KEY,
    name             text COLLATE "C" NOT NULL,
    url              text NOT NULL,
    types            text NOT NULL,
    group_id         uuid,
    group_name       text,
    content_type     text NOT NULL,
    paused           boolean NOT NULL,
    deleted          boolean NOT NULL,
    version          bigint NOT NULL,
    created_version  bigint NOT NULL,
    enabled_version  bigint NOT NULL,
    begin_version    bigint NOT NULL,
    begin_after      text NOT NULL,
    begin_from       bigint,
    secret           bigint NOT NULL,
    old_secret       bigint,
    old_secret_until bigint,
    created_at       bigint NOT NULL
);

-- A keyed copy of the secrets of webhooks, sealed.
CREATE TABLE webhook_secrets (
    id         text PRIMARY KEY,
    webhook_id uuid NOT NULL,
    number     bigint NOT NULL,
    sealed     text NOT NULL
);
CREATE INDEX webhook_secrets_of_webhook ON webhook_secrets (webhook_id, number);

CREATE TABLE audit (
    id             uuid PRIMARY KEY,
    at             bigint NOT NULL,
    ordered_at     bigint NOT NULL,
    actor_id       uuid,
    actor_name     text NOT NULL,
    actor_role     text,
    action         text COLLATE "C" NOT NULL,
    target_kind    text,
    target_id      uuid,
    target_name    text,
    outcome        smallint NOT NULL,
    changes        text NOT NULL,
    client_address text,
    client_agent   text,
    command_id     text,
    correlation_id text,
    log_stream     text NOT NULL,
    log_partition  bigint NOT NULL,
    log_offset     bigint NOT NULL
);
CREATE INDEX audit_by_order ON audit (ordered_at, log_offset, id);
CREATE INDEX audit_of_target ON audit (target_id, ordered_at, log_offset, id) WHERE target_id IS NOT NULL;
CREATE INDEX audit_of_actor ON audit (actor_id, ordered_at, log_offset, id) WHERE actor_id IS NOT NULL;
CREATE INDEX audit_by_action ON audit (action, ordered_at, log_offset, id);
-- Nearly everything is allowed; what was not is what people look for.
CREATE INDEX audit_not_allowed ON audit (outcome, ordered_at, log_offset, id) WHERE outcome <> 0;
