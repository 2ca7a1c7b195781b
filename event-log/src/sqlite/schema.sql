-- The log in one file: one table per stream, one row per record. There is one partition.
-- The writer assigns offsets and never reuses one: the last row of a table is never deleted.
-- A compact row has an empty key and empty headers: all of the record is in its body.

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

-- Compacted: of each key the newest row counts, and the others are deleted from time to time. A tombstone is a
-- record without a body; the newest of its key stays, so that every follower sees it.
CREATE TABLE IF NOT EXISTS credentials (
    offset  INTEGER PRIMARY KEY,
    key     TEXT NOT NULL,
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
    key     TEXT NOT NULL,
    headers TEXT NOT NULL,
    body    BLOB
) STRICT;

-- How far each compacted stream is compacted: up to which offset, and how many rows were left below it.
CREATE TABLE IF NOT EXISTS compactions (
    stream TEXT PRIMARY KEY,
    up_to  INTEGER NOT NULL,
    kept   INTEGER NOT NULL
) STRICT;
