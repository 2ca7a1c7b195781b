-- The log in one file: one table a stream, one row a record. There is one partition.
-- Offsets are given out by the writer and never again: the last row of a table is never deleted.

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

-- Compacted: a key has one row, its newest. A tombstone is a row without a body and stays, so that every follower meets it.
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
