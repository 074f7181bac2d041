BEGIN IMMEDIATE;

-- Versions whose publication starts a run: written with the ledger's row, and settled once there is a run or a reason
-- (`says`) why there is none.
CREATE TABLE publications (
    workflow TEXT NOT NULL,
    version  TEXT NOT NULL,
    shown    TEXT NOT NULL,
    tag      TEXT NOT NULL,
    tagger   TEXT NOT NULL,
    settled  INTEGER NOT NULL DEFAULT 0,
    run      INTEGER,
    says     TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (workflow, version),
    FOREIGN KEY (workflow, version) REFERENCES ledger (workflow, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX publications_due ON publications (settled) WHERE settled = 0;

-- The schedules of the latest versions. `entry` is the digest of `body`: when, in which zone, with which properties.
-- Times up to `considered_at` are done with; `due_at` is one that a run is being started for. `run` is the last run,
-- `says` why the last time (`last_at`) started none.
CREATE TABLE schedules (
    workflow      TEXT NOT NULL,
    entry         TEXT NOT NULL,
    version       TEXT NOT NULL,
    body          TEXT NOT NULL,
    considered_at REAL NOT NULL,
    due_at        REAL,
    last_at       REAL,
    run           INTEGER,
    says          TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (workflow, entry)
) STRICT, WITHOUT ROWID;

-- A state that has a ledger has looked at its repository before: what is published from now on is news.
INSERT INTO facts (name, value) SELECT 'first look', 'done' WHERE EXISTS (SELECT 1 FROM ledger);

PRAGMA user_version = 2;
COMMIT;
