BEGIN IMMEDIATE;

-- What was thought of commits, so that a start of the daemon need not judge them again; all of it may be thrown away.
-- `publishes` are the versions that the judged tag gives, `validator` is the code that judged, and `seen` what the
-- verdict depended on beside the commit. `body` is compressed JSON.
CREATE TABLE verdicts (
    "commit"  TEXT NOT NULL,
    publishes TEXT NOT NULL,
    validator TEXT NOT NULL,
    seen      TEXT NOT NULL,
    body      BLOB NOT NULL,
    PRIMARY KEY ("commit", publishes)
) STRICT;

PRAGMA user_version = 3;
COMMIT;
