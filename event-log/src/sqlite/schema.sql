-- The log in one file: one table per stream, one row per record. There is one partition.
-- The writer assigns offsets and never reuses one: the last row of a table is never deleted.

CREATE TABLE IF NOT EXISTS user_events (
    offset  INTEGER PRIMARY KEY,
    key     TEXT NOT NULL,
    headers TEXT NOT NULL,
    body    BLOB
) STRICT;

CREATE TABLE IF NOT EXISTS group_events (
    offset  INTEGER PRIMARY KEY,
    key     TEXT NOT NULL,
    headers TEXT NOT NULL,
    body    BLOB
) STRICT;

-- Compacted: a key has one row, its newest. A tombstone is a row without a body; it stays, so that every
-- follower sees it.
CREATE TABLE IF NOT EXISTS credentials (
    offset  INTEGER PRIMARY KEY,
    key     TEXT NOT NULL UNIQUE,
    headers TEXT NOT NULL,
    body    BLOB
) STRICT;

CREATE TABLE IF NOT EXISTS access (
    offset  INTEGER PRIMARY KEY,
    key     TEXT NOT NULL,
    headers TEXT NOT NULL,
    body    BLOB
) STRICT;

-- Compacted like the credentials.
CREATE TABLE IF NOT EXISTS claims (
    offset  INTEGER PRIMARY KEY,
    key     TEXT NOT NULL UNIQUE,
    headers TEXT NOT NULL,
    body    BLOB
) STRICT;
