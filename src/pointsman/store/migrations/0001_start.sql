BEGIN IMMEDIATE;

-- One row for every start of the daemon: results and claims name the epoch they belong to.
CREATE TABLE epochs (
    number     INTEGER PRIMARY KEY,
    started_at REAL NOT NULL,
    boot       TEXT NOT NULL
) STRICT;

-- Small things that must survive: the key for form tokens, the identity of this state.
CREATE TABLE facts (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Plans by their digest, as compressed canonical JSON; runs of the same plan share one.
CREATE TABLE plans (
    digest TEXT PRIMARY KEY,
    body   BLOB NOT NULL
) STRICT;

CREATE TABLE runs (
    number      INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    project     TEXT NOT NULL,
    workflow    TEXT NOT NULL,
    version     TEXT NOT NULL,
    plan_digest TEXT NOT NULL REFERENCES plans (digest),
    state       TEXT NOT NULL,
    attempt     INTEGER NOT NULL DEFAULT 1,
    seq         INTEGER NOT NULL DEFAULT 0,
    started_by  TEXT NOT NULL,
    created_at  REAL NOT NULL,
    started_at  REAL,
    finished_at REAL,
    metadata    TEXT NOT NULL
) STRICT;
CREATE INDEX runs_open ON runs (workflow, number) WHERE state IN ('pending', 'running', 'waiting');
CREATE INDEX runs_by_workflow ON runs (workflow, number);

-- The steps of a run that were touched; one that is not here is pending. `body` is the whole row, the rest finds it.
CREATE TABLE steps (
    run   INTEGER NOT NULL REFERENCES runs (number),
    step  INTEGER NOT NULL,
    state TEXT NOT NULL,
    due   REAL,
    body  TEXT NOT NULL,
    PRIMARY KEY (run, step)
) STRICT, WITHOUT ROWID;
CREATE INDEX steps_due ON steps (due) WHERE due IS NOT NULL;
CREATE INDEX steps_open ON steps (state, run, step) WHERE state IN ('queued', 'running', 'waiting');

-- The log of everything: what happened to runs, and (without a run) to versions, accounts and the daemon.
CREATE TABLE events (
    id      INTEGER PRIMARY KEY,
    run     INTEGER REFERENCES runs (number),
    seq     INTEGER,
    at      REAL NOT NULL,
    type    TEXT NOT NULL,
    actor   TEXT NOT NULL,
    step    TEXT,
    cause   INTEGER,
    project TEXT NOT NULL DEFAULT '',
    body    TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX events_of_run ON events (run, seq) WHERE run IS NOT NULL;
CREATE INDEX events_by_actor ON events (actor, id);
CREATE INDEX events_by_type ON events (type, id);

-- At most once: the first claim of an attempt stands for ever.
CREATE TABLE claims (
    run     INTEGER NOT NULL,
    step    INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    epoch   INTEGER NOT NULL REFERENCES epochs (number),
    PRIMARY KEY (run, step, attempt)
) STRICT, WITHOUT ROWID;

-- The ledger: where each version of a workflow was first found valid. Rows are never changed or removed.
CREATE TABLE ledger (
    workflow   TEXT NOT NULL,
    version    TEXT NOT NULL,
    shown      TEXT NOT NULL,
    tag        TEXT NOT NULL,
    tag_object TEXT NOT NULL,
    "commit"   TEXT NOT NULL,
    tagger     TEXT NOT NULL,
    first_seen REAL NOT NULL,
    PRIMARY KEY (workflow, version)
) STRICT, WITHOUT ROWID;

-- What was found to be wrong with a tag that the ledger knows; one event for each, not one for each look.
CREATE TABLE alarms (
    tag   TEXT NOT NULL,
    found TEXT NOT NULL,
    at    REAL NOT NULL,
    PRIMARY KEY (tag, found)
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
    key           TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    password_hash TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
    id         TEXT PRIMARY KEY,
    digest     BLOB NOT NULL,
    user       TEXT NOT NULL,
    expires_at REAL,
    revoked    INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    digest     BLOB PRIMARY KEY,
    user       TEXT NOT NULL,
    created_at REAL NOT NULL,
    seen_at    REAL NOT NULL
) STRICT, WITHOUT ROWID;

-- What a request with an Idempotency-Key was answered, so that its repeat is answered the same.
CREATE TABLE answers (
    actor  TEXT NOT NULL,
    key    TEXT NOT NULL,
    asked  TEXT NOT NULL,
    at     REAL NOT NULL,
    status INTEGER NOT NULL,
    body   TEXT NOT NULL,
    PRIMARY KEY (actor, key)
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 1;
COMMIT;
