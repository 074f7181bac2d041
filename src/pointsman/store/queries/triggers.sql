-- insert_publication --
-- The publication of a version is to start a run; what is there already stays.
INSERT INTO publications (workflow, version, shown, tag, tagger)
VALUES (:workflow, :version, :shown, :tag, :tagger) ON CONFLICT DO NOTHING

-- due_publications --
-- Publications for which there is neither a run nor a reason against one.
SELECT * FROM publications WHERE settled = 0

-- settle_publication --
-- What came of a publication.
UPDATE publications SET settled = 1, run = :run, says = :says WHERE workflow = :workflow AND version = :version

-- publication --
-- What came of the publication of a version, if it was to start a run.
SELECT * FROM publications WHERE workflow = :workflow AND version = :version

-- schedules --
-- Every schedule that is followed.
SELECT * FROM schedules ORDER BY workflow, entry

-- schedule --
-- One schedule, if it is still followed.
SELECT * FROM schedules WHERE workflow = :workflow AND entry = :entry

-- insert_schedule --
-- Follow a schedule; of one that is followed already only the version is another one.
INSERT INTO schedules (workflow, entry, version, body, considered_at)
VALUES (:workflow, :entry, :version, :body, :considered_at)
ON CONFLICT (workflow, entry) DO UPDATE SET version = excluded.version

-- update_schedule --
-- How far a schedule has come; nothing happens if it is followed no more.
UPDATE schedules
SET considered_at = :considered_at, due_at = :due_at, last_at = :last_at, run = :run, says = :says
WHERE workflow = :workflow AND entry = :entry

-- forget_schedule --
-- A schedule that the latest version has no more.
DELETE FROM schedules WHERE workflow = :workflow AND entry = :entry
